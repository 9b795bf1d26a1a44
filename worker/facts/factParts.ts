import type { Fact } from '../../shared/event/facts/factRows.ts';
import { sizeOf } from './makeSafe.ts';

/**
 * The greatest number of bytes, as they are escaped, and of facts in one SQS message (docs/protocol.md, "Events"). A
 * single larger fact travels alone.
 */
const BATCH_BYTES = 64 * 1_024;
const BATCH_FACTS = 100;
/** The room in bytes for the fields around the facts. */
const ENVELOPE_BYTES = 512;

/** The facts of one SQS message. */
export interface FactPart {
  readonly facts: readonly Fact[];
  /** The greatest size of the message in bytes. */
  readonly bytes: number;
}

/** Parts of at most 64 KB and 100 facts each, in order. */
export function splitFacts(facts: readonly Fact[]): readonly FactPart[] {
  const parts: { readonly facts: Fact[]; bytes: number }[] = [];
  for (const fact of facts) {
    const size = sizeOf(fact) + 1;
    const part = parts.at(-1);
    if (part === undefined || part.facts.length >= BATCH_FACTS || part.bytes + size > BATCH_BYTES) {
      parts.push({ facts: [fact], bytes: ENVELOPE_BYTES + size });
    } else {
      part.facts.push(fact);
      part.bytes += size;
    }
  }
  return parts;
}
