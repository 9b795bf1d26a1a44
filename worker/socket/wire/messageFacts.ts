import { getBinaryNodeChild, proto, type BinaryNode } from '@whiskeysockets/baileys';
import type { InboundType } from '../../../shared/content/content.ts';
import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import { idWithin, messageKey } from '../../../shared/event/facts/messageKey.ts';
import { keptParts } from '../../../shared/event/facts/messageParts.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { isLid, withoutDevice } from '../../../shared/kernel/jid.ts';
import { toContent, type ToldContent } from '../../../shared/wire/content.ts';
import type { Sealed } from '../../../shared/wire/sealed.ts';
import { addressOf, isFromOwnPhone, type Me, type MessageAddress } from './envelope.ts';
import { namedOriginal } from './namedOriginal.ts';
import { orNothing, type Plaintext } from './plaintext.ts';
import { joined, scan, wireTypes } from '../../../shared/wire/protobufFields.ts';

/** The fact of a message, and its bytes where the fact does not show what is in them. */
export interface ToldMessage {
  readonly fact: MessageFact;
  readonly unshown?: Uint8Array;
}

/**
 * The post that a newsletter brings, which is not sealed, so that it does not come by way of the cipher; undefined for
 * all else.
 */
export function toNewsletterPost(stanza: BinaryNode): Plaintext | undefined {
  if (stanza.attrs['from']?.endsWith('@newsletter') !== true) return undefined;
  const content = getBinaryNodeChild(stanza, 'plaintext')?.content;
  return content instanceof Uint8Array ? { outcome: 'unpadded', bytes: content } : undefined;
}

/**
 * The facts of a message: one; none when it is bookkeeping between devices; or those of the messages that the account's
 * phone brings later because they had come without their content.
 * @param stanzaOf returns the stanza of such a message, where it is still known: it holds more than the phone's answer
 */
export function toMessageFacts(
  stanza: BinaryNode,
  plaintext: Plaintext,
  me: Me,
  stanzaOf: (stanzaId: string) => BinaryNode | undefined = () => undefined,
): readonly ToldMessage[] {
  const { outcome, bytes } = plaintext;
  if (outcome === 'malformed') {
    const content = { type: 'unsupported', unsupported: { kind: 'malformed', bytes: bytes.length } } as const;
    return [toldOf(addressOf(stanza, me), me, { content, flags: [] }, bytes)];
  }
  const answers = isFromOwnPhone(stanza, me) ? answersIn(bytes) : [];
  if (answers.length > 0) return answers.flatMap((answer) => factsOfAnswer(answer, me, stanzaOf));
  return toFacts(addressOf(stanza, me), me, bytes);
}

type Answer = proto.Message.PeerDataOperationRequestResponseMessage.IPeerDataOperationResult;

/** The answers of the account's phone to a request for messages; they may come in the wrapper of our own devices. */
function answersIn(bytes: Uint8Array): readonly Answer[] {
  const decoded = orNothing(() => proto.Message.decode(bytes));
  const { protocolMessage } = decoded?.deviceSentMessage?.message ?? decoded ?? {};
  return protocolMessage?.peerDataOperationRequestResponseMessage?.peerDataOperationResult ?? [];
}

function factsOfAnswer(
  { placeholderMessageResendResponse }: Answer,
  me: Me,
  stanzaOf: (stanzaId: string) => BinaryNode | undefined,
): readonly ToldMessage[] {
  const bytes = placeholderMessageResendResponse?.webMessageInfoBytes;
  if (!bytes?.length) return [];
  const { key, messageTimestamp, pushName } = orNothing(() => proto.WebMessageInfo.decode(bytes)) ?? {};
  const message = messageIn(bytes);
  const { id, remoteJid, participant, fromMe } = key ?? {};
  if (!id || !remoteJid || message === undefined) return [];
  const chat = withoutDevice(remoteJid);
  const stanza = stanzaOf(id);
  const known = stanza === undefined ? undefined : addressOf(stanza, me);
  // An id is unique within its chat only.
  if (known !== undefined && (known.chat === chat || known.chatAlias === chat)) return toFacts(known, me, message);
  const own = isLid(chat) ? (me.lid ?? me.phoneJid) : me.phoneJid;
  const address: MessageAddress = {
    atMs: Number(messageTimestamp ?? 0) * 1_000,
    stanzaId: id as StanzaId,
    chat,
    sender: participant ? withoutDevice(participant) : fromMe === true ? own : chat,
    fromMe: fromMe === true,
    ...(pushName ? { senderName: pushName } : {}),
  };
  return toFacts(address, me, message);
}

/** The number of the field of `WebMessageInfo` that holds the message. */
const MESSAGE = 2;

/** The message in a `WebMessageInfo` as it stands there: decoding it would lose the fields that have no name yet. */
function messageIn(webMessageInfo: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  scan(webMessageInfo, ({ number, wireType, bytes }) => {
    if (number === MESSAGE && wireType === wireTypes.bytes) parts.push(bytes);
  });
  return parts.length === 0 ? undefined : joined(parts);
}

function toFacts(address: MessageAddress, me: Me, bytes: Uint8Array): readonly ToldMessage[] {
  const told = toContent(bytes);
  return told === undefined ? [] : [toldOf(address, me, told, bytes)];
}

/** The kinds that do not show what their sender wrote, so that its bytes are kept. */
const UNSHOWN: ReadonlySet<InboundType> = new Set(['unsupported', 'scheduled']);

function toldOf(address: MessageAddress, me: Me, told: ToldContent, bytes: Uint8Array): ToldMessage {
  const { content, flags, context, original, act, secret, sealed } = told;
  const fact: MessageFact = {
    kind: 'message',
    key: messageKey({ ...address, stanzaId: idWithin({ ...address, content }) }),
    ...address,
    content,
    ...(flags.length === 0 ? {} : { flags: [...flags] }),
    ...keptParts({ ...told, files: filesIn(address.chat, told.files) }),
    ...(context === undefined ? {} : { context: context as MessageFact['context'] }),
    ...(original === undefined ? {} : namedOriginal(original, address, me)),
    ...(act === undefined ? {} : { act }),
    ...(secret === undefined ? {} : { secret: Buffer.from(secret).toString('base64url') }),
    ...(sealed === undefined ? {} : { sealed: inBase64(sealed) }),
  };
  return UNSHOWN.has(content.type) ? { fact, unshown: bytes } : { fact };
}

/** The files of a message. In a channel they lie as they are, so what has no key there needs none. */
function filesIn(chat: string, files: ToldContent['files']): ToldContent['files'] {
  if (!chat.endsWith('@newsletter')) return files;
  return files?.map((file) => (file.key === undefined ? { ...file, plain: true } : file));
}

function inBase64({ use, payload, iv }: Sealed): NonNullable<MessageFact['sealed']> {
  return { use, payload: Buffer.from(payload).toString('base64'), iv: Buffer.from(iv).toString('base64') };
}
