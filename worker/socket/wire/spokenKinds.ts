import type { AskedOf, OutboundContent, OutboundType } from '../../../shared/content/content.ts';
import { text } from './kinds/text.ts';
import type { Spoken, WireContext, WireMessage } from './spokenKind.ts';

/** The way in which each kind of content is spoken. A kind that can be sent without its line here does not compile. */
export const spokenKinds = { text } as const satisfies { readonly [Type in OutboundType]: Spoken<AskedOf<Type>> };

/** The rows without what the compiler cannot follow: that a kind and its content belong together. */
const rows = spokenKinds as Readonly<Record<string, Spoken<unknown>>>;

/** The wire message of a content. */
export async function toWire(content: OutboundContent, context: WireContext): Promise<WireMessage> {
  const spoken = rows[content.type]?.toWire;
  if (spoken === undefined) throw new Error(`nobody knows how to send a ${content.type}`);
  return spoken((content as unknown as Readonly<Record<string, unknown>>)[content.type], context);
}
