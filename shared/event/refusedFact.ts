import type { InboundContent } from '../content/content.ts';
import { factSchema, type MessageFact } from './facts/fact.ts';

/** The reason why a fact cannot be published as it is. */
export type Refusal = 'malformed' | 'too_large';

/**
 * The rest of a message that was refused: that it came, from whom, and how large it was. Undefined for other facts, and
 * for a message of which not even that can be published.
 * @param fact the fact as it came, whatever it is
 */
export function toRefusedFact(fact: unknown, refusal: Refusal, bytes: number): MessageFact | undefined {
  if (typeof fact !== 'object' || fact === null || !('kind' in fact) || fact.kind !== 'message') return undefined;
  const known = fact as Partial<MessageFact>;
  const content: InboundContent = { type: 'unsupported', unsupported: { kind: refusal, bytes } };
  // The fields of a message fact that its sender did not write: all but content, flags and name.
  const { content: _content, flags: _flags, senderName: _name, ...envelope } = known;
  const checked = factSchema.safeParse({ ...envelope, content });
  return checked.success && checked.data.kind === 'message' ? checked.data : undefined;
}
