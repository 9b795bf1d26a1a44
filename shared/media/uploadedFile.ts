import type { PreparedFile } from './preparedFile.ts';

/** A file as it lies at WhatsApp: all that a message says of it. */
export type UploadedFile = LyingFile & (SealedFile | PlainFile);

interface LyingFile {
  readonly prepared: PreparedFile;
  readonly url: string;
  readonly directPath: string;
  readonly uploadedAtMs: number;
}

/** A file of a channel, which lies there as it is. */
export interface PlainFile {
  /** What a post names it by in its stanza, beside the path in its message. */
  readonly handle: string;
}

/** A file of a chat. Whoever has the key reads it, so no tenant sees this. */
export interface SealedFile {
  /** The key that it is sealed with, in base64: 32 bytes. */
  readonly key: string;
  /** When the key was made, in milliseconds since 1970. */
  readonly keyAtMs: number;
  /** SHA-256 of the file as it lies there, in base64. */
  readonly sealedSha256: string;
  /** What stands for a pack of stickers in a chat, sealed with the same key. */
  readonly cover?: UploadedCover;
  /** What a player checks parts of a film or a sound with, in base64; absent for what is not played. */
  readonly sidecar?: string;
}

/** The cover of a pack, as it lies at WhatsApp: hashes in base64. */
export interface UploadedCover {
  readonly directPath: string;
  readonly sha256: string;
  readonly sealedSha256: string;
}

/** Whether a file lies at WhatsApp as it is, for channels. */
export function isPlain(file: SealedFile | PlainFile): file is PlainFile {
  return 'handle' in file;
}

const DAY_MS = 86_400_000;

/**
 * How long an uploaded file is sent again, in milliseconds. WhatsApp gives out a file for 17 days at least (measured by users of
 * whatsmeow, https://github.com/tulir/whatsmeow/issues/2265: gone after two and a half to three weeks), and whoever gets the last message
 * with it should have two weeks to open it.
 */
export const SENT_AGAIN_MS = 3 * DAY_MS;

/** Whether new messages may be made of an uploaded file. */
export function isFresh({ uploadedAtMs }: Pick<UploadedFile, 'uploadedAtMs'>, nowMs: number): boolean {
  return nowMs - uploadedAtMs < SENT_AGAIN_MS;
}
