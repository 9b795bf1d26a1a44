import { boundedName } from '../kernel/boundedName.ts';
import type { Refusal } from './facts/factRow.ts';
import { factRows, factSchema, rowOf, type Fact } from './facts/factRows.ts';

/** The outcome of reading: a fact, or the reason why it is none, with the kind that it names. */
export type ReadFact =
  | { readonly outcome: 'fact'; readonly fact: Fact }
  | {
      readonly outcome: 'refused';
      readonly refusal: Refusal;
      readonly factKind: string | undefined;
      /** Paths of the fields that are wrong. */
      readonly wrongFields: readonly string[];
    };

const KIND_UNITS = 64;

/**
 * Reads a published fact. A kind that is not in the table is `unknown_kind`: a newer worker publishes it, and it is never read
 * as another one.
 */
export function readFact(raw: unknown): ReadFact {
  const kind = kindOf(raw);
  const factKind = kind === undefined ? undefined : boundedName(kind.toWellFormed(), KIND_UNITS);
  if (kind !== undefined && !Object.hasOwn(factRows, kind)) {
    return { outcome: 'refused', refusal: 'unknown_kind', factKind, wrongFields: ['kind'] };
  }
  const parsed = factSchema.safeParse(raw);
  if (parsed.success) return { outcome: 'fact', fact: parsed.data };
  const wrongFields = parsed.error.issues.map(({ path }) => path.join('.'));
  return { outcome: 'refused', refusal: 'malformed', factKind, wrongFields };
}

/**
 * The rest of a fact that was refused; undefined where nothing of it can be published.
 * @param raw the fact as it came, whatever it is
 */
export function remainsOf(raw: unknown, refusal: Refusal, bytes: number): Fact | undefined {
  const kind = kindOf(raw);
  if (kind === undefined || !Object.hasOwn(factRows, kind)) return undefined;
  const { remains } = rowOf(raw as Fact);
  if (remains === undefined) return undefined;
  const checked = factSchema.safeParse(remains(raw as Partial<Fact>, refusal, bytes));
  return checked.success ? checked.data : undefined;
}

function kindOf(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null || !('kind' in raw)) return undefined;
  return typeof raw.kind === 'string' ? raw.kind : undefined;
}
