import { rowOf, type Fact } from '../../../shared/event/facts/factRows.ts';
import { isPerson } from '../../../shared/kernel/jid.ts';

/** The other name of each address for which it is known: a LID for a number, a number for a LID. */
export type OtherNames = ReadonlyMap<string, string>;

type Fields = Readonly<Record<string, string | undefined>>;

/** The addresses whose other name would complete these facts, because no stanza has given it. */
export function namelessIn(facts: readonly Fact[]): readonly string[] {
  const addresses = facts.flatMap((fact) => {
    const fields = fact as unknown as Fields;
    return rowOf(fact).people.map(([name, alias]) => (fields[alias] === undefined ? fields[name] : undefined));
  });
  return [...new Set(addresses.filter((address) => address !== undefined && isPerson(address)) as string[])];
}

/**
 * A fact with both names of its people, where they are known, and with the keys that it has by the other names:
 * WhatsApp may bring the same stanza once by number and once by LID.
 */
export function withOtherNames(fact: Fact, names: OtherNames): Fact {
  const { people, keysByName } = rowOf(fact);
  const fields = fact as unknown as Fields;
  const aliases = people.flatMap(([name, alias]) => {
    const other = fields[alias] ?? names.get(fields[name] ?? '');
    return other === undefined ? [] : [[alias, other] as const];
  });
  const named: Fact = { ...fact, ...Object.fromEntries(aliases) };
  const otherKeys = (keysByName?.(named) ?? []).filter((key) => key !== fact.key);
  return otherKeys.length === 0 ? named : { ...named, otherKeys };
}
