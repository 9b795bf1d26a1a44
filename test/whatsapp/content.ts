import { proto } from '@whiskeysockets/baileys';
import { scan } from '../../shared/wire/protobufFields.ts';
import type { MediaKind } from './mediaKind.ts';

/** What a message says, read from its protobuf, and how a phone's owner makes one. */
export type ContentKind = 'text' | MediaKind | 'other';

export interface MediaDescription {
  readonly mimetype: string;
  readonly fileName: string | undefined;
  readonly bytes: number;
  /** The hash of the content, in hex. */
  readonly sha256: string;
  /** Where it lies sealed, and the key that opens it, in base64: a phone knows both. */
  readonly directPath: string;
  readonly mediaKey: string;
}

export interface Content {
  readonly kind: ContentKind;
  /** The text, or the caption of media; empty if there is none. */
  readonly text: string;
  readonly media: MediaDescription | undefined;
}

const MEDIA_FIELDS = {
  imageMessage: 'image',
  videoMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
} as const;

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
  const media = mediaOf(message);
  if (media !== undefined) {
    const { kind, fields } = media;
    return {
      kind,
      text: fields.caption ?? '',
      media: {
        mimetype: fields.mimetype ?? '',
        fileName: fields.fileName ?? undefined,
        bytes: Number(fields.fileLength ?? 0),
        sha256: Buffer.from(fields.fileSha256 ?? []).toString('hex'),
        directPath: fields.directPath ?? '',
        mediaKey: Buffer.from(fields.mediaKey ?? []).toString('base64'),
      },
    };
  }
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

type MediaFields = proto.Message.IImageMessage & { readonly fileName?: string | null };

function mediaOf(message: proto.IMessage): { readonly kind: MediaKind; readonly fields: MediaFields } | undefined {
  for (const [name, kind] of Object.entries(MEDIA_FIELDS)) {
    const fields = message[name as keyof typeof MEDIA_FIELDS];
    if (fields) return { kind, fields };
  }
  return undefined;
}

/** A message of media that lies on the server. */
export function toMediaMessage(kind: MediaKind, fields: MediaFields): proto.IMessage {
  const name = Object.entries(MEDIA_FIELDS).find(([, each]) => each === kind)?.[0] ?? 'documentMessage';
  return { [name]: fields };
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
