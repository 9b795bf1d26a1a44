import { it } from 'vitest';

/** A case of a contract in which the emulator does not do what AWS does, and why we think so. */
export interface KnownDifference {
  readonly case: string;
  readonly reason: string;
}

/** One sentence of a contract, with what shows it. */
export interface ContractCase<Service> {
  readonly sentence: string;
  readonly show: (service: Service) => Promise<void>;
}

/**
 * Makes tests of the cases of a contract. A known difference must fail: when an emulator learns it, the entry has to go.
 * @param differences of the service that is tested; none for the fake
 */
export function testCases<Service>(
  cases: readonly ContractCase<Service>[],
  service: () => Service,
  differences: readonly KnownDifference[],
): void {
  for (const { case: name } of differences) {
    if (!cases.some(({ sentence }) => sentence === name)) throw new Error(`no case is called: ${name}`);
  }
  for (const { sentence, show } of cases) {
    const test = differences.some(({ case: name }) => name === sentence) ? it.fails : it;
    test(sentence, () => show(service()));
  }
}

/** The name of what a call is refused with, or `taken`. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
