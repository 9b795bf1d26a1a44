import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { node, stamp, type BinaryNode } from '../node.ts';
import { jidOf, WHATSAPP, type Account } from '../world.ts';

/**
 * The request of a linked device to upload a file again, and the phone's answer: AES-256-GCM under a key that is derived of
 * the key of the file, with the stanza id beside it. Written with Node's crypto alone, as the files are.
 */
export interface RetryAnswer {
  readonly result: proto.MediaRetryNotification.ResultType;
  /** In a sealed answer; otherwise as an error that everybody can read. */
  readonly isSealed: boolean;
  readonly directPath?: string;
}

const TAG_BYTES = 16;
const IV_BYTES = 12;

function keyOf(mediaKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), 'WhatsApp Media Retry Notification', 32));
}

/** The id in a request; undefined when it does not open, or says nothing. */
export function openRetryRequest(
  mediaKey: Uint8Array,
  id: string,
  sealed: Uint8Array | undefined,
  iv: Uint8Array | undefined,
): string | undefined {
  if (sealed === undefined || sealed.length <= TAG_BYTES || iv?.length !== IV_BYTES) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(mediaKey), iv)
      .setAAD(Buffer.from(id))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const opened = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    return proto.ServerErrorReceipt.decode(opened).stanzaId ?? undefined;
  } catch {
    return undefined;
  }
}

/** The answer as the device that asked gets it. */
export function retryNotice(
  account: Account,
  id: string,
  about: BinaryNode | undefined,
  answer: RetryAnswer,
  mediaKey: Uint8Array,
): BinaryNode {
  const attrs = { id, from: jidOf(account, 0, WHATSAPP), type: 'mediaretry', t: stamp() };
  const rmr = node('rmr', { ...about?.attrs });
  if (!answer.isSealed || mediaKey.length === 0) {
    return node('notification', attrs, [rmr, node('error', { code: String(answer.result) })]);
  }
  const { result, directPath } = answer;
  const said = proto.MediaRetryNotification.encode({
    stanzaId: id,
    result,
    ...(directPath === undefined ? {} : { directPath }),
  }).finish();
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(mediaKey), iv).setAAD(Buffer.from(id));
  const sealed = Buffer.concat([cipher.update(said), cipher.final(), cipher.getAuthTag()]);
  return node('notification', attrs, [rmr, node('encrypt', {}, [node('enc_p', {}, sealed), node('enc_iv', {}, iv)])]);
}
