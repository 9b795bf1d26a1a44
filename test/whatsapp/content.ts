import { proto } from '@whiskeysockets/baileys';
import { scan } from '../../shared/wire/protobufFields.ts';
import type { FileKind } from './media/fileKinds.ts';
import { fileOf } from './media/filesOf.ts';
import type { ShownFile } from './media/shownFile.ts';

/** What a message says, read from its protobuf. */
export type ContentKind = 'text' | FileKind | 'other';

export interface Content {
  readonly kind: ContentKind;
  /** The text, or the caption of a file; empty if there is none. */
  readonly text: string;
  readonly media: ShownFile | undefined;
}

const { SHARE_PHONE_NUMBER, REVOKE } = proto.Message.ProtocolMessage.Type;
/** What people say to each other in a message between devices. */
const shownTypes: ReadonlySet<unknown> = new Set([SHARE_PHONE_NUMBER, REVOKE]);

/** Parts of a message that its reader never sees. */
const UNSEEN = new Set(['senderKeyDistributionMessage', 'protocolMessage', 'messageContextInfo']);

/**
 * What a person sees of a message; undefined if there is nothing to see.
 * @param plaintext the message as it came, which may have fields that Baileys' protocol does not know
 */
export function contentOf(message: proto.IMessage, plaintext?: Uint8Array): Content | undefined {
  const text = message.conversation ?? message.extendedTextMessage?.text;
  if (text) return { kind: 'text', text, media: undefined };
  const file = fileOf(message)?.shown;
  if (file !== undefined) return { kind: file.kind, text: file.caption ?? '', media: file };
  const seen =
    Object.entries(message).some(([name, value]) => value && !UNSEEN.has(name)) ||
    shownTypes.has(message.protocolMessage?.type) ||
    (plaintext !== undefined && hasNewerField(plaintext));
  return seen ? { kind: 'other', text: '', media: undefined } : undefined;
}

/** The first field of `Message` that Baileys' protocol does not know. */
const FIRST_NEWER = 115;

function hasNewerField(plaintext: Uint8Array): boolean {
  let found = false;
  scan(plaintext, ({ number }) => (found ||= number >= FIRST_NEWER));
  return found;
}

const plaintexts = new WeakMap<proto.IMessage, Uint8Array>();

/** Decodes a message, and remembers the bytes that it was. */
export function decodePlaintext(plaintext: Uint8Array): proto.Message {
  const message = proto.Message.decode(plaintext);
  plaintexts.set(message, plaintext);
  return message;
}

/** The bytes of a message that was decoded here. */
export const plaintextOf = (message: proto.IMessage): Uint8Array | undefined => plaintexts.get(message);

/** A message without the padding that was put at its end before it was sealed. */
export function decodePadded(padded: Uint8Array): proto.IMessage {
  return proto.Message.decode(padded.subarray(0, padded.length - (padded.at(-1) ?? 0)));
}
