import type { BodyOf, ContentType, InboundContent, InboundType } from '../content/content.ts';
import type { MessageContext } from '../content/messageContext.ts';
import { readContext } from './contextInfo.ts';
import { text } from './kinds/text.ts';
import type { MessageInfo } from './messageInfo.ts';
import { bytesOf, readField, shape } from './shape.ts';
import type { Understood } from './understoodKind.ts';
import type { Level } from './unwrap.ts';
import type { Original } from './wireKey.ts';

/**
 * The way in which each kind of content is understood. A kind that is received without its line here does not compile. The
 * first kind that finds itself in a message counts; `unsupported` remains when none does (`content.ts`).
 */
export const understoodKinds = { text } as const satisfies {
  readonly [Type in Exclude<ContentType, 'unsupported'> & InboundType]: Understood<BodyOf<Type>>;
};

/** The rows without what the compiler cannot follow: that a kind and its content belong together. */
const rows = Object.entries(understoodKinds as Readonly<Record<string, Understood<unknown>>>);

/** What one message says by itself, in one of our kinds. */
export interface OwnContent {
  readonly content: InboundContent;
  readonly context?: MessageContext;
  readonly original?: Original;
}

/** The content in the fields of one message, if one of our kinds is in them. */
export function fromWire(parts: Level['parts'], info: MessageInfo): OwnContent | 'nothing' | 'malformed' {
  for (const [type, { fields, fromWire: read, context: number, original }] of rows) {
    const present = fields.filter((field) => parts.has(field));
    if (present.length === 0) continue;
    const body = read(parts, info);
    if (body === 'malformed') return body;
    if (body === 'nothing') continue;
    const around = number === undefined ? undefined : contextIn(parts, present, number);
    const about = original?.(parts, info);
    return {
      content: { type, [type]: body } as unknown as InboundContent,
      ...(around === undefined ? {} : { context: around }),
      ...(about === undefined ? {} : { original: about }),
    };
  }
  return 'nothing';
}

/** The context of the first field that has one; undefined where it says nothing. */
function contextIn(parts: Level['parts'], present: readonly number[], number: number): MessageContext | undefined {
  const around = shape({ context: bytesOf(number) });
  for (const field of present) {
    const read = readField(around, parts.get(field));
    const context = read === 'malformed' ? {} : readContext(read.context);
    if (Object.keys(context).length > 0) return context;
  }
  return undefined;
}
