import { proto } from '@whiskeysockets/baileys';
import { decodeWithNewer } from './newerFields.ts';
import type { WireMessage } from './spokenKind.ts';

/**
 * A message as it is kept for its next tries and for requests to repeat it: a version, the length of the parts around
 * it, those parts as JSON, and the message in WhatsApp's own encoding.
 */
const VERSION = 1;
const HEAD_BYTES = 3;

export function toKept({ message, attributes, nodes }: WireMessage): Uint8Array {
  const isBare = attributes === undefined && nodes === undefined;
  const around = isBare ? Buffer.alloc(0) : Buffer.from(JSON.stringify({ attributes, nodes }));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION);
  head.writeUInt16BE(around.length, 1);
  return Buffer.concat([head, around, proto.Message.encode(message).finish()]);
}

/** Reads a kept message. Throws when this version has not written it. */
export function fromKept(kept: Uint8Array): WireMessage {
  const bytes = Buffer.from(kept.buffer, kept.byteOffset, kept.length);
  if (bytes.length < HEAD_BYTES || bytes.readUInt8() !== VERSION) throw new Error('a kept message of another version');
  const start = HEAD_BYTES + bytes.readUInt16BE(1);
  const around = bytes.subarray(HEAD_BYTES, start);
  return {
    ...(around.length === 0 ? {} : (JSON.parse(around.toString('utf8')) as Omit<WireMessage, 'message'>)),
    message: decodeWithNewer(bytes.subarray(start)),
  };
}
