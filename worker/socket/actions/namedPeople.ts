import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { isLid, otherNameOf, parseJid, toRecipient } from '../../../shared/kernel/jid.ts';
import { toAccountQuery, toAccounts } from '../people/accountQuery.ts';
import { answerTo } from '../port/answerTo.ts';
import { asLookUp } from '../port/lookUpError.ts';
import type { Asking } from './asking.ts';

/** A person of a request. */
export interface NamedPerson {
  /** The person as the caller wrote it. */
  readonly input: string;
  /** All addresses that are known, without device; none where there is nobody at the number. */
  readonly names: readonly string[];
}

type Means = Pick<Asking, 'socket' | 'queryTimeoutMs' | 'makeTag' | 'recipients' | 'otherNameOf'>;

/**
 * Finds the people of a request, those of numbers that are not known in one question. Throws a `LookUpError` when WhatsApp
 * refuses it or leaves a number out: nothing of what they are named for has left then.
 */
export async function findPeople(asking: Means, written: readonly string[]): Promise<readonly NamedPerson[]> {
  const people = await Promise.all(
    written.map(async (input) => {
      const to = toRecipient(input) ?? input;
      return { input, to, known: await knownNames(asking, to) };
    }),
  );
  const unknown = [...new Set(people.flatMap(({ to, known }) => (known === undefined ? [digitsOf(to)] : [])))];
  const found = unknown.length === 0 ? new Map<string, readonly string[]>() : await findAccounts(asking, unknown);
  return people.map(({ input, to, known }) => ({ input, names: known ?? found.get(digitsOf(to)) ?? [] }));
}

/** The names of a person that are known; undefined for a number whose LID is not: WhatsApp names both. */
async function knownNames(
  { recipients, otherNameOf }: Pick<Means, 'recipients' | 'otherNameOf'>,
  to: string,
): Promise<readonly string[] | undefined> {
  const address = await recipients.knownAddressOf(to);
  const other = address === undefined ? undefined : await otherNameOf(address);
  if (address === undefined || (other === undefined && !isLid(address))) return undefined;
  return [address, ...(other === undefined ? [] : [other])];
}

async function findAccounts(
  asking: Means,
  numbers: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const accounts = await asLookUp('account', async () => {
    const answered = toAccounts(await answerTo(asking, toAccountQuery(numbers, asking.makeTag())));
    // A number that WhatsApp passes over is not known: to call it "no account" would be a guess.
    if (numbers.some((digits) => !answered.has(digits))) throw new TimeoutError('asking who has an account', 0);
    return answered;
  });
  const named = [...accounts].map(([digits, { exists, address, lid }]): [string, readonly string[]] => {
    if (!exists || address === undefined) return [digits, []];
    asking.recipients.learn(`${digits}@s.whatsapp.net`, address);
    return [digits, [address, ...(lid === undefined ? [] : [lid])]];
  });
  return new Map(named);
}

function digitsOf(jid: string): string {
  return parseJid(jid)?.user ?? '';
}

/** A person as a change of a group names them. */
export interface NamedInGroup {
  readonly jid: string;
  readonly other?: string;
}

/** Each person once, however often the request names them: WhatsApp answers about each. */
export function eachOnce(named: readonly NamedInGroup[]): readonly NamedInGroup[] {
  return [...new Map(named.map((one) => [one.jid, one])).values()];
}

/** Both names of a person in the form in which a group names its members: by LID, or by number. */
export function namesIn(names: readonly string[], byLid: boolean): NamedInGroup | undefined {
  const [first] = names;
  if (first === undefined) return undefined;
  const jid = names.find((name) => isLid(name) === byLid) ?? first;
  const other = otherNameOf(jid, names);
  return { jid, ...(other === undefined ? {} : { other }) };
}
