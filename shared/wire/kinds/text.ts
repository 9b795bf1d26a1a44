import type { BodyOf } from '../../content/content.ts';
import { CONVERSATION, EXTENDED_TEXT, TEXT_OF_EXTENDED } from '../messageFields.ts';
import { joined, scan, wireTypes } from '../protobufFields.ts';
import type { Understood } from '../understoodKind.ts';

/** The fields of a link in an extended text. */
const LINK = 2;
const DESCRIPTION = 5;
const TITLE = 6;
const READ: readonly number[] = [TEXT_OF_EXTENDED, LINK, DESCRIPTION, TITLE];

export const text = {
  fields: [CONVERSATION, EXTENDED_TEXT],
  context: 17,
  /** The last one counts of a text that stands there twice. An empty text counts as none. */
  fromWire: (parts) => {
    const conversation = toText(parts.get(CONVERSATION)?.at(-1));
    const extended = parts.get(EXTENDED_TEXT);
    if (extended === undefined) return told(conversation);
    const last = new Map<number, Uint8Array>();
    const scanned = scan(joined(extended), ({ number, wireType, bytes }) => {
      if (READ.includes(number) && wireType === wireTypes.bytes) last.set(number, bytes);
    });
    if (scanned === 'malformed') return scanned;
    return told(conversation === '' ? toText(last.get(TEXT_OF_EXTENDED)) : conversation, previewIn(last));
  },
} as const satisfies Understood<BodyOf<'text'>>;

function told(body: string, preview?: BodyOf<'text'>['preview']): BodyOf<'text'> | 'nothing' {
  if (body === '') return 'nothing';
  return preview === undefined ? { body } : { body, preview };
}

/** What the writer's device shows of a link in the text; undefined where that is no more than the link itself. */
function previewIn(fields: ReadonlyMap<number, Uint8Array>): BodyOf<'text'>['preview'] {
  const [url, title, description] = [
    toText(fields.get(LINK)),
    toText(fields.get(TITLE)),
    toText(fields.get(DESCRIPTION)),
  ];
  if (url === '' || (title === '' && description === '')) return undefined;
  return { url, ...(title === '' ? {} : { title }), ...(description === '' ? {} : { description }) };
}

/** Bytes that are not UTF-8 become U+FFFD. */
function toText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
