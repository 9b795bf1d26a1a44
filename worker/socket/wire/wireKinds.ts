import type {
  AskedOf,
  BodyOf,
  ContentType,
  InboundContent,
  InboundType,
  OutboundContent,
  OutboundType,
} from '../../../shared/content/content.ts';
import { text } from './kinds/text.ts';
import type { Level } from './unwrap.ts';
import type { Spoken, Understood, WireContext, WireMessage } from './wireKind.ts';

/**
 * The ways in which each kind of content is spoken and understood. A kind without its ends here does not compile. The
 * first kind that finds itself in a message counts; `unsupported` remains when none does (`content.ts`).
 */
export const wireKinds = { text } as const satisfies {
  readonly [Type in Exclude<ContentType, 'unsupported'>]: (Type extends OutboundType
    ? Spoken<AskedOf<Type>>
    : unknown) &
    (Type extends InboundType ? Understood<BodyOf<Type>> : unknown);
};

/** The rows without what the compiler cannot follow: that a kind and its content belong together. */
const rows = wireKinds as Readonly<Record<string, Partial<Spoken<unknown> & Understood<unknown>>>>;
const understood = Object.entries(rows).flatMap(([type, { fields, fromWire }]) =>
  fields === undefined || fromWire === undefined ? [] : [{ type, fields, fromWire }],
);

/** The wire message of a content. */
export async function toWire(content: OutboundContent, context: WireContext): Promise<WireMessage> {
  const spoken = rows[content.type]?.toWire;
  if (spoken === undefined) throw new Error(`nobody knows how to send a ${content.type}`);
  return spoken((content as unknown as Readonly<Record<string, unknown>>)[content.type], context);
}

/** The content in the fields of one message, if one of our kinds is in them. */
export function fromWire(parts: Level['parts']): InboundContent | 'nothing' | 'malformed' {
  for (const { type, fields, fromWire: read } of understood) {
    if (!fields.some((number) => parts.has(number))) continue;
    const body = read(parts);
    if (body === 'malformed') return body;
    if (body !== 'nothing') return { type, [type]: body } as unknown as InboundContent;
  }
  return 'nothing';
}
