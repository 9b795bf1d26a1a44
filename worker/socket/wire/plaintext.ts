import { proto, unpadRandomMax16 } from '@whiskeysockets/baileys';

/** The output of a cipher without its padding; with it where the padding is none. */
export interface Plaintext {
  readonly outcome: 'unpadded' | 'malformed';
  readonly bytes: Uint8Array;
}

/**
 * Removes the padding.
 * @param padded the output of the cipher; its sender may have left the padding out
 */
export function toPlaintext(padded: Uint8Array): Plaintext {
  const bytes = orNothing(() => unpadRandomMax16(padded));
  return bytes === undefined ? { outcome: 'malformed', bytes: padded } : { outcome: 'unpadded', bytes };
}

/**
 * The message that was sealed; a message of another of our own devices is unwrapped.
 * @param padded the output of the cipher, still padded
 */
export function toMessage(padded: Uint8Array): proto.IMessage | undefined {
  const decoded = decodePadded(padded);
  return decoded?.deviceSentMessage?.message ?? decoded;
}

/**
 * The message in the output of a cipher, or undefined when it is none. The content is the sender's choice: if nonsense
 * were a failure, it would come back with each redelivery and nothing behind it could ever be handled.
 */
export function decodePadded(padded: Uint8Array): proto.Message | undefined {
  return orNothing(() => proto.Message.decode(unpadRandomMax16(padded)));
}

/** The result of a decoder on bytes from outside, or undefined where they are nonsense to it. */
export function orNothing<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
