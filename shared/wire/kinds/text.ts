import type { BodyOf } from '../../content/content.ts';
import { CONVERSATION, EXTENDED_TEXT, TEXT_OF_EXTENDED } from '../messageFields.ts';
import { joined, scan, wireTypes } from '../protobufFields.ts';
import type { Understood } from '../understoodKind.ts';

export const text = {
  fields: [CONVERSATION, EXTENDED_TEXT],
  context: 17,
  /** The last one counts of a text that stands there twice. An empty text counts as none. */
  fromWire: (parts) => {
    const conversation = toText(parts.get(CONVERSATION)?.at(-1));
    const extended = parts.get(EXTENDED_TEXT);
    if (extended === undefined) return told(conversation);
    let last: Uint8Array | undefined;
    const scanned = scan(joined(extended), ({ number, wireType, bytes }) => {
      if (number === TEXT_OF_EXTENDED && wireType === wireTypes.bytes) last = bytes;
    });
    if (scanned === 'malformed') return scanned;
    return told(conversation === '' ? toText(last) : conversation);
  },
} as const satisfies Understood<BodyOf<'text'>>;

function told(body: string): BodyOf<'text'> | 'nothing' {
  return body === '' ? 'nothing' : { body };
}

/** Bytes that are not UTF-8 become U+FFFD. */
function toText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
