import { hash } from 'node:crypto';
import { child, children, type BinaryNode } from './node.ts';

/**
 * Watches which Signal message keys clients put on the wire. A message key is named by what stands in the clear before the
 * ciphertext: the ratchet key and its counter in a chat, the id of the sender key and its iteration in a group. One name
 * with two different ciphertexts is a key that was used twice: who knows one of the texts can read the other.
 * The same bytes sent again are no second use.
 */
export class KeyUse {
  /** Digest of the ciphertext that each key was used for: 72 bits tell two texts apart. */
  readonly #uses = new Map<string, string>();
  /** Ciphertexts under a key that had another one before. */
  reused = 0;

  /** Looks at every sealed part of a message stanza. @param device the sending device, as `number:id` */
  note(device: string, message: BinaryNode): void {
    const parts = [
      child(message, 'enc'),
      ...children(child(message, 'participants'), 'to').map((part) => child(part, 'enc')),
    ];
    for (const part of parts) {
      const name = part === undefined ? undefined : nameOfKey(part);
      if (name === undefined || !(part?.content instanceof Uint8Array)) continue;
      const key = `${device}/${name}`;
      const ciphertext = hash('sha256', part.content, 'base64').slice(0, DIGEST_LENGTH);
      const before = this.#uses.get(key);
      if (before === undefined) this.#uses.set(key, ciphertext);
      else if (before !== ciphertext) this.reused += 1;
    }
  }
}

/** Fields of the library's protobuf messages (libsignal, WhisperTextProtocol). */
const PRE_KEY_MESSAGE = { inner: 4 } as const;
const WHISPER_MESSAGE = { ratchetKey: 1, counter: 2 } as const;
const SENDER_KEY_MESSAGE = { id: 1, iteration: 2 } as const;
const DIGEST_LENGTH = 12;
const VERSION_BYTES = 1;
const MAC_BYTES = 8;
const SIGNATURE_BYTES = 64;

function nameOfKey({ attrs, content }: BinaryNode): string | undefined {
  if (!(content instanceof Uint8Array)) return undefined;
  const bytes = Buffer.from(content);
  switch (attrs['type']) {
    case 'skmsg': {
      const fields = fieldsOf(bytes.subarray(VERSION_BYTES, -SIGNATURE_BYTES));
      return `sender/${String(fields.get(SENDER_KEY_MESSAGE.id))}/${String(fields.get(SENDER_KEY_MESSAGE.iteration))}`;
    }
    case 'pkmsg': {
      const inner = fieldsOf(bytes.subarray(VERSION_BYTES)).get(PRE_KEY_MESSAGE.inner);
      return Buffer.isBuffer(inner) ? nameOfWhisperKey(inner) : undefined;
    }
    case 'msg':
      return nameOfWhisperKey(bytes);
    default:
      return undefined;
  }
}

function nameOfWhisperKey(bytes: Buffer): string | undefined {
  const fields = fieldsOf(bytes.subarray(VERSION_BYTES, -MAC_BYTES));
  const ratchetKey = fields.get(WHISPER_MESSAGE.ratchetKey);
  return Buffer.isBuffer(ratchetKey)
    ? `chain/${ratchetKey.toString('base64')}/${String(fields.get(WHISPER_MESSAGE.counter) ?? 0)}`
    : undefined;
}

/** The fields of a protobuf message, by number: whole numbers and bytes. Ends at what is neither. */
function fieldsOf(bytes: Buffer): ReadonlyMap<number, number | Buffer> {
  const fields = new Map<number, number | Buffer>();
  let place = 0;
  const wholeNumber = (): number => {
    let value = 0;
    for (let factor = 1; place < bytes.length; factor *= 128) {
      const byte = bytes[place] ?? 0;
      place += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (place < bytes.length) {
    const tag = wholeNumber();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) fields.set(field, wholeNumber());
    else if (wireType === 2) {
      const length = wholeNumber();
      fields.set(field, bytes.subarray(place, place + length));
      place += length;
    } else break;
  }
  return fields;
}
