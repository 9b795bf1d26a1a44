import { decode, encode } from '@msgpack/msgpack';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * The stored form of values: one form byte, then MessagePack. The form comes first so that it can change under a
 * rolling deploy: a reader that does not know it stops, and never takes the value for absent.
 */
const PLAIN = 0x10;
const DEFLATED = 0x11;

/**
 * The size in bytes from which deflating is worth its time. DynamoDB bills writes by the kilobyte: a value that fits
 * one with its attributes gains nothing by being smaller.
 */
const WORTH_DEFLATING_BYTES = 640;

/** The bytes of a value made of plain objects, arrays, strings, numbers, booleans and byte arrays. */
export function encodeValue(value: unknown): Uint8Array {
  const plain = pack(value);
  if (plain.length > WORTH_DEFLATING_BYTES) {
    const deflated = deflateRawSync(plain);
    if (deflated.length < plain.length) return withForm(DEFLATED, deflated);
  }
  return withForm(PLAIN, plain);
}

/**
 * The value of {@link encodeValue}; bytes come back as Buffers of their own. Throws for another form or broken bytes.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const body = bytes.subarray(1);
  if (bytes[0] === PLAIN) return toOwnBytes(decode(body));
  if (bytes[0] === DEFLATED) return toOwnBytes(decode(inflateRawSync(body)));
  throw new Error(`unknown form ${bytes[0]} of a stored value`);
}

/** A value as it would come back from the store: a change of the copy does not change the original. */
export function copyValue(value: unknown): unknown {
  return toOwnBytes(decode(pack(value)));
}

/** Whether two values would be stored alike. */
export function isSameValue(left: unknown, right: unknown): boolean {
  return Buffer.from(pack(left)).equals(pack(right));
}

function pack(value: unknown): Uint8Array {
  return encode(toPlain(value), { ignoreUndefined: true });
}

/**
 * Puts a form byte in front of bytes. The result is kept for hours, so it has memory of its own: a shared block would
 * be kept with it.
 */
export function withForm(form: number, bytes: Uint8Array): Uint8Array {
  const whole = Buffer.allocUnsafeSlow(bytes.length + 1);
  whole[0] = form;
  whole.set(bytes, 1);
  return whole;
}

/** Turns objects with a JSON form of their own (messages of the protocol library) into that form. */
function toPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value;
  const plain = 'toJSON' in value && typeof value.toJSON === 'function' ? (value.toJSON as () => unknown)() : value;
  if (plain !== value) return toPlain(plain);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toPlain(entry)]));
}

/**
 * Copies the bytes in a value that has just been decoded, and is changed in place. They are views into the whole:
 * libsignal wants Buffers, and a copy may be changed.
 */
function toOwnBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== 'object' || value === null) return value;
  const parts = value as Record<string, unknown>;
  for (const key of Object.keys(parts)) {
    const part = parts[key];
    if (typeof part === 'object') parts[key] = toOwnBytes(part);
  }
  return value;
}
