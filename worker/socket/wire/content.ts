import type { InboundContent } from '../../../shared/message/content.ts';
import { CONVERSATION, EXTENDED_TEXT, kindOf, PROTOCOL, TEXT_OF_EXTENDED } from './messageFields.ts';
import { readProtocol } from './protocolTypes.ts';
import { isOfItsOwn, unwrap, type Level, type Unwrapped } from './unwrap.ts';
import { joined, scan, wireTypes } from './protobufFields.ts';

export interface ToldContent {
  readonly content: InboundContent;
  /** What it was wrapped in, from the outside in. */
  readonly flags: readonly string[];
}

/**
 * What a message shows its reader: text as text, everything else by its kind, bookkeeping between devices not at all
 * (`docs/messages.md`). Whatever the sender chose, what is not on the list of bookkeeping is told.
 * @param plaintext of the message, without padding
 */
export function toContent(plaintext: Uint8Array): ToldContent | undefined {
  const unwrapped = unwrap(plaintext, read);
  const content = toldOf(unwrapped, plaintext.length);
  return content === undefined ? undefined : { content, flags: 'flags' in unwrapped ? unwrapped.flags : [] };
}

function toldOf(unwrapped: Unwrapped<InboundContent>, bytes: number): InboundContent | undefined {
  if (unwrapped.outcome === 'content') return unwrapped.content;
  if (unwrapped.outcome === 'field') return unsupported(kindOf(unwrapped.number));
  if (unwrapped.outcome === 'malformed') return { type: 'unsupported', unsupported: { kind: 'malformed', bytes } };
  if (unwrapped.outcome === 'empty') return unsupported('empty');
  if (unwrapped.outcome === 'bookkeeping') return undefined;
  const fields = [...unwrapped.numbers];
  return { type: 'unsupported', unsupported: { kind: `field_${fields[0]}`, fields } };
}

function unsupported(kind: string): InboundContent {
  return { type: 'unsupported', unsupported: { kind } };
}

/** What one message shows by itself. An empty text counts as none. */
function read({ parts }: Level): InboundContent | 'nothing' | 'malformed' {
  const text = textOf(parts);
  if (text === 'malformed') return text;
  if (text.body !== '') return { type: 'text', text };
  let protocolKind: string | undefined;
  const protocol = parts.get(PROTOCOL);
  if (protocol !== undefined) {
    const known = readProtocol(joined(protocol));
    if (known.outcome === 'malformed') return 'malformed';
    if (known.outcome === 'told') protocolKind = known.kind;
  }
  const texts = [CONVERSATION, EXTENDED_TEXT];
  const other = [...parts.keys()].find(
    (number) => isOfItsOwn(number) && number !== PROTOCOL && !texts.includes(number),
  );
  const kind = other === undefined ? protocolKind : kindOf(other);
  return kind === undefined ? 'nothing' : unsupported(kind);
}

/** Empty when there is none. Of a text that stands there twice, the last counts. */
function textOf(parts: Level['parts']): { readonly body: string } | 'malformed' {
  const conversation = toText(parts.get(CONVERSATION)?.at(-1));
  const extended = parts.get(EXTENDED_TEXT);
  if (extended === undefined) return { body: conversation };
  let last: Uint8Array | undefined;
  const scanned = scan(joined(extended), ({ number, wireType, bytes }) => {
    if (number === TEXT_OF_EXTENDED && wireType === wireTypes.bytes) last = bytes;
  });
  if (scanned === 'malformed') return scanned;
  return { body: conversation === '' ? toText(last) : conversation };
}

/** Bytes that are no UTF-8 become U+FFFD. */
function toText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
