import type { ConnectionId, TenantId } from '../../kernel/id.ts';
import { refusalOf } from '../../platform/judgeFailure.ts';
import type { Refusal } from '../facts/factRow.ts';
import type { FactInHand } from './factInHand.ts';
import type { LoggedEvent } from './loggedEvent.ts';
import type { ReadDependencies } from './readRows.ts';

export interface RecordDependencies extends ReadDependencies {
  /**
   * Called with a fact that cannot be recorded as it is. Returns what is recorded in its place; undefined when it was set
   * aside. Throws when neither is possible at the moment.
   */
  readonly refuse: (fact: FactInHand, refusal: Refusal) => Promise<FactInHand | undefined>;
}

/** Facts of one connection, in their order. */
export interface FactsOfConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly facts: readonly FactInHand[];
}

export type RecordOutcome =
  | {
      readonly outcome: 'recorded';
      /** The events that are to be delivered, in order and each once. */
      readonly events: readonly LoggedEvent[];
      /** The facts, without those that were set aside. */
      readonly facts: readonly FactInHand[];
    }
  /** Nothing is lost: the same facts can be recorded again. */
  | { readonly outcome: 'failed'; readonly error: unknown };

/** A connection's facts while they are being recorded. */
export interface Unit extends FactsOfConnection {
  /** The most events of one page: 1 when a page was refused for what one of its events says. */
  readonly eventsPerPage: number;
}

/** The outcome of one run for a unit: `again` when it has to be read anew, with the facts that are left of it. */
export type RunOutcome = RecordOutcome | { readonly outcome: 'again'; readonly unit: Unit; readonly isFurther?: true };

/** The unit with the rest of each fact that was refused, or without it. */
export async function withoutRefused(
  { refuse }: RecordDependencies,
  unit: Unit,
  refused: ReadonlyMap<FactInHand, Refusal>,
): Promise<RunOutcome> {
  try {
    const facts: FactInHand[] = [];
    for (const fact of unit.facts) {
      const refusal = refused.get(fact);
      const rest = refusal === undefined ? fact : await refuse(fact, refusal);
      if (rest !== undefined) facts.push(rest);
    }
    return { outcome: 'again', unit: { ...unit, facts }, isFurther: true };
  } catch (error) {
    return { outcome: 'failed', error };
  }
}

/** The facts that a permanent failure refuses. */
export function refusedBy(error: unknown, facts: readonly FactInHand[]): ReadonlyMap<FactInHand, Refusal> {
  return new Map(facts.map((fact) => [fact, refusalOf(error)]));
}
