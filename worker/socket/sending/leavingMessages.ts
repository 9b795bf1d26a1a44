import { photoIdsOf, sentFileOf } from '../../../shared/media/sentFile.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isChannel, isStatus } from '../../../shared/kernel/jid.ts';
import { isPlain } from '../../../shared/media/uploadedFile.ts';
import type { SentOriginal } from '../../../shared/message/message.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { IV_BYTES, seal } from '../../../shared/wire/sealed.ts';
import type { FileOfSend, SendRequest } from '../port/connectionSocket.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import { toContextInfo } from '../wire/contextInfo.ts';
import { ownNameBy, type Me } from '../wire/envelope.ts';
import { fromKept, toKept } from '../wire/keptMessage.ts';
import { SECRET_BYTES, withSecret } from '../wire/messageSecret.ts';
import { withPartOf } from '../wire/partOf.ts';
import type { WireMessage, WireOriginal } from '../wire/spokenKind.ts';
import { toWire } from '../wire/spokenKinds.ts';

/**
 * What a stanza of a status says of its audience. WhatsApp's clients name the choice of their owner; the people are those
 * in the stanza whatever stands here (read, in zapo).
 */
const STATUS_NODE = { tag: 'meta', attrs: { status_setting: 'contacts' } } as const;

/** A message that is made of a file was to be made without it: nothing of it has left. */
export class WithoutFileError extends Error {
  override readonly name = 'WithoutFileError';

  constructor() {
    super('the file of a message is not at WhatsApp');
  }
}

/** A message as it leaves, in all its tries. */
export interface LeavingMessage extends WireMessage {
  /**
   * Resolves when the message is kept; nothing of it may leave before. Rejects when it cannot be kept, or when another
   * try has kept it.
   */
  readonly kept: Promise<void>;
}

/**
 * Makes the message that a request asks for, once: the message that is sent is the one that is kept, byte for byte, and
 * a later try sends the one that the first try kept.
 *
 * | the try ends                                | the state                            | the next try
 * |
 * | ------------------------------------------- | ------------------------------------ |
 * ---------------------------------- |
 * | before it is kept                           | nothing has left                     | makes and keeps it
 * |
 * | after it was kept, before or after the wire | it may have left as it is kept       | sends what is kept
 * |
 * | the store does not answer                   | nothing leaves; the send is given up | reads first, then as above
 * |
 * | two owners try at once                      | the first that is kept counts        | the other reads it, and sends
 * that |
 */
export async function toLeaving(
  request: Pick<
    SendRequest,
    'stanzaId' | 'content' | 'context' | 'original' | 'secret' | 'triedBefore' | 'look' | 'file' | 'partOf' | 'photos'
  >,
  { chat, me }: { readonly chat: string; readonly me: Me },
  { session, random, clock }: Pick<OpenSocketOptions, 'session' | 'random' | 'clock'>,
): Promise<LeavingMessage> {
  const { stanzaId, content, context, original, triedBefore = false, look = {}, file, partOf, photos } = request;
  if (triedBefore) {
    const earlier = (await readKept(session, stanzaId)).get(stanzaId);
    if (earlier === 'unreadable') throw new Error('what was kept of a message cannot be opened');
    if (earlier !== undefined) return { ...fromKept(earlier), kept: Promise.resolve() };
  }
  if (file === undefined && sentFileOf(content) !== undefined) throw new WithoutFileError();
  if (photoIdsOf(content).some((id) => photos?.has(id) !== true)) throw new WithoutFileError();
  const contextInfo = toContextInfo(context, chat, me);
  const wire = await toWire(content, {
    chat,
    ...(contextInfo === undefined ? {} : { contextInfo }),
    ...(isStatus(chat) ? { look } : {}),
    ...(file === undefined ? {} : { file }),
    ...(photos === undefined ? {} : { photos }),
    ...(original === undefined ? {} : { original: toWireOriginal(original, { chat, me }, clock.nowMs(), random) }),
  });
  const bytes = toKept(
    isChannel(chat)
      ? asPost(wire, file)
      : {
          ...(isStatus(chat) ? { ...wire, nodes: [...(wire.nodes ?? []), STATUS_NODE] } : wire),
          message: withSecret(
            withPartOf(wire.message, partOf, chat),
            secretOf(request.secret) ?? random.bytes(SECRET_BYTES),
          ),
        },
  );
  const kept = session.keepSent(stanzaId, bytes).then((outcome) => {
    if (outcome === 'kept_before') throw new Error('another try has kept this message');
  });
  // The part that waits for it may have failed before.
  kept.catch(() => undefined);
  return { ...fromKept(bytes), kept };
}

/** A message as others name it: in a group by its author, too, if that is not the account itself. */
function toWireOriginal(
  { stanzaId, sender, type, seal: sealing }: SentOriginal,
  { chat, me }: { readonly chat: string; readonly me: Me },
  actedAtMs: number,
  random: OpenSocketOptions['random'],
): WireOriginal {
  const isForeign = sender !== undefined;
  const key = { remoteJid: chat, fromMe: !isForeign, id: stanzaId };
  const about = { type, actedAtMs, key: isForeign && isGroup(chat) ? { ...key, participant: sender } : key };
  if (sealing === undefined) return about;
  const actor = ownNameBy(sealing.known, me);
  const names = { author: isForeign ? sealing.known : actor, actor };
  const of = { secret: Buffer.from(sealing.secret, 'base64url'), stanzaId };
  return { ...about, seal: (use, plaintext) => seal(use, plaintext, of, names, random.bytes(IV_BYTES)) };
}

/** A message as a post of a channel: it has no secret, since everybody reads it, and its stanza names the handle of its file. */
function asPost(wire: WireMessage, file: FileOfSend | undefined): WireMessage {
  if (file === undefined) return wire;
  if (!isPlain(file)) throw new Error('a file of a chat was to be posted in a channel');
  return { ...wire, attributes: { ...wire.attributes, media_id: file.handle } };
}

function secretOf(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'base64url');
}

/** A store that is silent fails this in words of its own, so that nobody takes it for a silent WhatsApp. */
async function readKept(session: Pick<OpenSocketOptions['session'], 'findSent'>, stanzaId: string) {
  try {
    return await withDeadline('reading a kept message', deadlines.send.ms, () => session.findSent([stanzaId]));
  } catch (cause) {
    throw new Error('what was kept of a message cannot be read now', { cause });
  }
}
