import type { PartOf } from '../content/partOf.ts';
import { readAct } from './acts.ts';
import { CONVERSATION, EXTENDED_TEXT, kindOf, PROTOCOL } from './messageFields.ts';
import type { MessageInfo } from './messageInfo.ts';
import { readPartOf } from './partOf.ts';
import { joined } from './protobufFields.ts';
import { readProtocol } from './protocolTypes.ts';
import type { Sealed } from './sealed.ts';
import { readSealed } from './sealedFields.ts';
import { fromWire, type OwnContent } from './understoodKinds.ts';
import { isOfItsOwn, unwrap, type Level, type Unwrapped } from './unwrap.ts';

/** What a message says, and of which other one. */
export interface MessageWords extends OwnContent {
  /** What it does to the original: the content takes its place, or the original is taken back. */
  readonly act?: 'edit' | 'delete';
  /** A part that the secret of the original opens; the content then only names its kind. */
  readonly sealed?: Sealed;
  /** The secret that opens what is sealed for this message later. */
  readonly secret?: Uint8Array;
  /** The message that it says it is a part of. */
  readonly partOf?: PartOf;
}

export interface ToldContent extends MessageWords {
  /** The wrappings of the message, from the outside in. */
  readonly flags: readonly string[];
}

/**
 * The content of a message as its reader sees it: a kind with a form here (`understoodKinds`), every other one by the name
 * of its kind, bookkeeping between devices not at all (`docs/messages.md`). Whatever the sender chose, a field that is not
 * on the list of bookkeeping is shown.
 * @param plaintext the plaintext of the message, without padding
 */
export function toContent(plaintext: Uint8Array): ToldContent | undefined {
  const unwrapped = unwrap(plaintext, read);
  const words = toldOf(unwrapped, plaintext.length);
  return words === undefined ? undefined : { ...words, flags: 'flags' in unwrapped ? unwrapped.flags : [] };
}

function toldOf(unwrapped: Unwrapped<MessageWords>, bytes: number): MessageWords | undefined {
  if (unwrapped.outcome === 'content') return unwrapped.content;
  if (unwrapped.outcome === 'field') return unsupported(kindOf(unwrapped.number));
  if (unwrapped.outcome === 'malformed') {
    return { content: { type: 'unsupported', unsupported: { kind: 'malformed', bytes } } };
  }
  if (unwrapped.outcome === 'empty') return unsupported('empty');
  if (unwrapped.outcome === 'bookkeeping') return undefined;
  const fields = [...unwrapped.numbers];
  return { content: { type: 'unsupported', unsupported: { kind: `field_${fields[0]}`, fields } } };
}

function unsupported(kind: string): OwnContent {
  return { content: { type: 'unsupported', unsupported: { kind } } };
}

/** The content of one message by itself. An empty text counts as none. */
function read({ parts }: Level, info: MessageInfo): MessageWords | 'nothing' | 'malformed' {
  const own = readOwn(parts, info);
  if (typeof own === 'string') return own;
  const partOf = readPartOf(info);
  return {
    ...own,
    ...(info.secret === undefined ? {} : { secret: info.secret }),
    ...(partOf === undefined ? {} : { partOf }),
  };
}

function readOwn(parts: Level['parts'], info: MessageInfo): MessageWords | 'nothing' | 'malformed' {
  const known = fromWire(parts, info);
  if (known !== 'nothing') return known;
  const act = readAct(parts.get(PROTOCOL));
  if (act?.act === 'delete') return { ...unsupported('revoke'), ...act };
  if (act?.act === 'edit') {
    const { message, ...edit } = act;
    // An edit is no edit of an edit: a sender must not choose how deep this reads.
    const { content, context } = toldOf(unwrap(message, readEdited), message.length) ?? unsupported('edit');
    return { content, ...(context === undefined ? {} : { context }), ...edit };
  }
  return readUnknown(parts);
}

/** The new content of a message that was edited. */
function readEdited({ parts }: Level, info: MessageInfo): MessageWords | 'nothing' | 'malformed' {
  const known = fromWire(parts, info);
  return known === 'nothing' ? readUnknown(parts) : known;
}

/** What has no form here, by its name. */
function readUnknown(parts: Level['parts']): MessageWords | 'nothing' | 'malformed' {
  const kind = kindIn(parts);
  if (kind === undefined || kind === 'malformed') return kind ?? 'nothing';
  return { ...unsupported(kind), ...readSealed(parts) };
}

/** The name of a kind that has no form here; undefined where there is none, or only bookkeeping. */
function kindIn(parts: Level['parts']): string | undefined {
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
  return other === undefined ? protocolKind : kindOf(other);
}
