import {
  decryptMediaRetryData,
  encryptMediaRetryRequest,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  proto,
  type BinaryNode,
  type makeWASocket,
} from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import type { FileAnswer, FileRequest, WaitingFile } from '../port/fileRequest.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import type { Me } from '../wire/envelope.ts';

export interface PhoneFilesParts extends Pick<OpenSocketOptions, 'askedFiles' | 'logger' | 'metrics'> {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'sendNode'>;
  readonly me: () => Me;
}

const { SUCCESS, NOT_FOUND, DECRYPTION_ERROR } = proto.MediaRetryNotification.ResultType;
/** What the phone will never be able to do. */
const NEVER: ReadonlySet<number> = new Set([NOT_FOUND, DECRYPTION_ERROR]);
/** The longest path that is kept. WhatsApp's have a few hundred characters. */
const PATH_CHARACTERS = 2_048;

/**
 * Files that the account's phone is asked to upload again, on one socket. The request is a receipt; the phone answers with a notice whenever it is
 * online, sealed with a key that follows from that of the file, so that WhatsApp itself cannot answer in its place.
 */
export class PhoneFiles {
  readonly #parts: PhoneFilesParts;

  constructor(parts: PhoneFilesParts) {
    this.#parts = parts;
  }

  /** Asks the phone. Rejects when the request could not be written. */
  async ask({ chat, sender, fromMe, stanzaId, key }: FileRequest): Promise<void> {
    const { socket, me } = this.#parts;
    const named = { remoteJid: chat, id: stanzaId, fromMe, ...(sender === chat ? {} : { participant: sender }) };
    const receipt = encryptMediaRetryRequest(named, Buffer.from(key, 'base64'), me().phoneJid);
    await withDeadline('asking the phone for a file', deadlines.stanzaWrite.ms, () => socket.sendNode(receipt));
  }

  /** Hears an answer of the phone. Never rejects: an answer that is lost is asked for again. */
  async hear(stanza: BinaryNode): Promise<void> {
    const { logger } = this.#parts;
    try {
      await withDeadline('taking an answer of the phone', deadlines.publish.ms, () => this.#take(stanza));
    } catch (error) {
      logger.warn('an answer of the phone about a file is lost', { error });
    }
  }

  async #take(stanza: BinaryNode): Promise<void> {
    const { askedFiles, metrics, me } = this.#parts;
    const { phoneJid, lid } = me();
    const from = withoutDevice(stanza.attrs['from'] ?? '');
    if (from !== phoneJid && from !== lid) return;
    const waiting = await askedFiles.find(stanza.attrs['id'] ?? '');
    for (const { file, answer } of answersIn(stanza, waiting)) {
      metrics.count('PhoneFileAnswers', { answer: answer.answer });
      await askedFiles.answered(file, answer);
    }
  }
}

/**
 * What a notice says of the files of its message. A sealed word is about the one file whose key opens it; an open one says that something failed, and
 * is about all of them.
 */
export function answersIn(
  stanza: BinaryNode,
  waiting: readonly WaitingFile[],
): readonly { readonly file: WaitingFile; readonly answer: FileAnswer }[] {
  const error = getBinaryNodeChild(stanza, 'error');
  if (error !== undefined) {
    const answer = toFailure(Number(error.attrs['code']));
    return waiting.map((file) => ({ file, answer }));
  }
  const opened = waiting.flatMap((file) => {
    const answer = openWith(stanza, file);
    return answer === undefined ? [] : [{ file, answer }];
  });
  return opened.length > 0 ? opened : waiting.map((file) => ({ file, answer: { answer: 'unreadable' } as const }));
}

/** The answer that the key of a file opens; undefined where it opens none. */
function openWith(stanza: BinaryNode, { key, stanzaId }: WaitingFile): FileAnswer | undefined {
  const sealed = getBinaryNodeChild(stanza, 'encrypt');
  const ciphertext = getBinaryNodeChildBuffer(sealed, 'enc_p');
  const iv = getBinaryNodeChildBuffer(sealed, 'enc_iv');
  if (!(ciphertext instanceof Uint8Array) || !(iv instanceof Uint8Array)) return undefined;
  try {
    const said = decryptMediaRetryData({ ciphertext, iv }, Buffer.from(key, 'base64'), stanzaId);
    if (said.stanzaId !== stanzaId) return undefined;
    if (said.result !== SUCCESS) return toFailure(Number(said.result));
    const path = said.directPath ?? '';
    return isPath(path) ? { answer: 'given', path } : { answer: 'unreadable' };
  } catch {
    return undefined;
  }
}

/** A failure by its number. Only a word that the phone has nothing is final. */
function toFailure(result: number): FileAnswer {
  return { answer: NEVER.has(result) ? 'absent' : 'failed' };
}

/** A path on WhatsApp's host, and nothing that leads to another one. */
function isPath(path: string): boolean {
  return path.length <= PATH_CHARACTERS && /^\/[^/\\\s]\S*$/.test(path);
}
