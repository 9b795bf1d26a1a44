import { factBounds, plausibleTimeMs } from '../../shared/event/facts/factBounds.ts';
import { fitFields } from '../../shared/event/facts/factField.ts';
import type { Refusal } from '../../shared/event/facts/factRow.ts';
import { factSchema, rowOf, type Fact } from '../../shared/event/facts/factRows.ts';
import { remainsOf } from '../../shared/event/readFact.ts';
import { escapeJson, toAsciiJson } from '../../shared/platform/asciiJson.ts';

/**
 * `safe`: the fact may leave. `replaced`: it may, and a message says `unsupported` in place of its content.
 * `set_aside`: nothing of it can be published.
 */
export type SafeFact =
  | { readonly outcome: 'safe'; readonly fact: Fact }
  | { readonly outcome: 'replaced'; readonly fact: Fact; readonly refusal: Refusal; readonly bytes: number }
  | { readonly outcome: 'set_aside'; readonly refusal: Refusal; readonly bytes: number };

/**
 * A fact in a form in which it may leave the worker. Strangers wrote what is in it, and whether a queue or a store
 * accepts it must not be theirs to decide: all texts are well-formed, nothing is larger than its bound, times are
 * times, and the fact has passed ingest's own schema.
 * @param arrivedAtMs when it came, by our clock
 */
export function makeSafe(fact: Fact, arrivedAtMs: number): SafeFact {
  const fitting = toFitting(fact, arrivedAtMs);
  const checked = factSchema.safeParse(fitting);
  if (!checked.success) return replace(fitting, 'malformed', sizeOf(fact));
  return fits(checked.data) ? { outcome: 'safe', fact: checked.data } : replace(fitting, 'too_large', sizeOf(fact));
}

/** The fact without the part that made it impossible, after a store or a queue has refused it. */
export function replace(fact: Fact, refusal: Refusal, bytes: number): SafeFact {
  const left = remainsOf(fact, refusal, bytes);
  return left === undefined
    ? { outcome: 'set_aside', refusal, bytes }
    : { outcome: 'replaced', fact: left, refusal, bytes };
}

/** The bytes of a fact in a body. */
export function sizeOf(fact: Fact): number {
  return toAsciiJson(fact).length;
}

function fits(fact: Fact): boolean {
  const json = JSON.stringify(fact);
  return Buffer.byteLength(json) <= factBounds.eventBytes && escapeJson(json).length <= factBounds.bodyBytes;
}

/** The fact with every field that strangers wrote at its bound, and with a time that can be true. */
function toFitting(fact: Fact, arrivedAtMs: number): Fact {
  const { writtenBy, complete, schema } = rowOf(fact);
  if (writtenBy === 'us') return fact;
  const fields = fitFields(schema, complete === undefined ? fact : complete(fact));
  return { ...fields, atMs: plausibleTimeMs(fact.atMs, arrivedAtMs) } as Fact;
}
