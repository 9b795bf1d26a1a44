import type { InboundContent } from '../../../shared/content/content.ts';
import { CONVERSATION, EXTENDED_TEXT, kindOf, PROTOCOL } from './messageFields.ts';
import { joined } from './protobufFields.ts';
import { readProtocol } from './protocolTypes.ts';
import { isOfItsOwn, unwrap, type Level, type Unwrapped } from './unwrap.ts';
import { fromWire } from './wireKinds.ts';

export interface ToldContent {
  readonly content: InboundContent;
  /** The wrappings of the message, from the outside in. */
  readonly flags: readonly string[];
}

/**
 * The content of a message as its reader sees it: a kind with a form here (`wireKinds`), every other one by the name of
 * its kind, bookkeeping between devices not at all (`docs/messages.md`). Whatever the sender chose, a field that is not
 * on the list of bookkeeping is shown.
 * @param plaintext the plaintext of the message, without padding
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

/** The content of one message by itself. An empty text counts as none. */
function read({ parts }: Level): InboundContent | 'nothing' | 'malformed' {
  const content = fromWire(parts);
  if (content !== 'nothing') return content;
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
