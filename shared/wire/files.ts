import type { MediaFile } from '../content/mediaFile.ts';
import { toThumbnail } from '../content/thumbnail.ts';
import { toMoment } from './moment.ts';
import { bytes, flag, integer, shape, text, type Read } from './shape.ts';

/** The files of the protocol: the shapes of the kinds that are one, which also stand in the heads of other kinds. */
export const imageFile = shape({
  url: text(1),
  mimeType: text(2),
  caption: text(3),
  sha256: bytes(4),
  size: integer(5),
  height: integer(6),
  width: integer(7),
  key: bytes(8),
  sealedSha256: bytes(9),
  path: text(11),
  keyAt: integer(12),
  thumbnail: bytes(16),
  viewOnce: flag(25),
  source: integer(31),
});
export const videoFile = shape({
  url: text(1),
  mimeType: text(2),
  sha256: bytes(3),
  size: integer(4),
  seconds: integer(5),
  key: bytes(6),
  caption: text(7),
  gif: flag(8),
  height: integer(9),
  width: integer(10),
  sealedSha256: bytes(11),
  path: text(13),
  keyAt: integer(14),
  thumbnail: bytes(16),
  viewOnce: flag(20),
  source: integer(31),
});
export const audioFile = shape({
  url: text(1),
  mimeType: text(2),
  sha256: bytes(3),
  size: integer(4),
  seconds: integer(5),
  voice: flag(6),
  key: bytes(7),
  sealedSha256: bytes(8),
  path: text(9),
  keyAt: integer(10),
  waveform: bytes(19),
  viewOnce: flag(21),
});
export const documentFile = shape({
  url: text(1),
  mimeType: text(2),
  title: text(3),
  sha256: bytes(4),
  size: integer(5),
  pages: integer(6),
  key: bytes(7),
  fileName: text(8),
  sealedSha256: bytes(9),
  path: text(10),
  keyAt: integer(11),
  thumbnail: bytes(16),
  caption: text(20),
});
export const stickerFile = shape({
  url: text(1),
  sha256: bytes(2),
  sealedSha256: bytes(3),
  key: bytes(4),
  mimeType: text(5),
  height: integer(6),
  width: integer(7),
  path: text(8),
  size: integer(9),
  keyAt: integer(10),
  animated: flag(13),
  avatar: flag(19),
  aiGenerated: flag(20),
  lottie: flag(21),
  label: text(22),
  emojis: text(25),
});

/** What every file has, whatever it is. */
export interface FileRead {
  readonly url?: string;
  readonly mimeType?: string;
  readonly sha256?: Uint8Array;
  readonly size?: number;
  readonly key?: Uint8Array;
  readonly sealedSha256?: Uint8Array;
  readonly path?: string;
  readonly keyAt?: number;
  /** The small picture that stands in for it. */
  readonly thumbnail?: Uint8Array;
}
export type ImageRead = Read<typeof imageFile>;
export type VideoRead = Read<typeof videoFile>;
export type DocumentRead = Read<typeof documentFile>;

export function toBase64(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
}

/** What a body shows of a file. */
export function fileOf({ mimeType, sha256, size }: FileRead) {
  return { mime_type: mimeType, sha256: toBase64(sha256), bytes: size };
}

/** What a body shows of a thing with an area. */
export function areaOf({ width, height }: { readonly width?: number; readonly height?: number }) {
  return { width, height };
}

/** The host from which WhatsApp's clients fetch files. */
const HOST = 'https://mmg.whatsapp.net';

/** The link to a file where it says more than its place does, which is most of what would be kept otherwise. */
function linkOf({ url, path }: FileRead): string | undefined {
  return path !== undefined && url?.startsWith(`${HOST}${path}`) === true ? undefined : url;
}

/**
 * What is kept to fetch a file; none where the message says nothing of one. A file without a key, or without a place, is kept too: whoever shows it
 * says what is wrong. @param part its place within the body
 */
export function mediaOf(use: NonNullable<MediaFile['use']>, read: FileRead | undefined, part?: string): MediaFile[] {
  if (read === undefined || !saysOfFile(read)) return [];
  return [
    {
      use,
      part,
      key: toBase64(read.key),
      path: read.path,
      url: linkOf(read),
      sealed_sha256: toBase64(read.sealedSha256),
      sha256: toBase64(read.sha256),
      key_at: toMoment(read.keyAt),
      bytes: read.size,
      mime_type: read.mimeType,
      // A part, such as the head of a card, is shown with its message.
      thumbnail: part === undefined ? toBase64(toThumbnail(read.thumbnail)) : undefined,
    },
  ];
}

function saysOfFile({ key, path, url, sha256 }: FileRead): boolean {
  return [key, path, url, sha256].some((said) => said !== undefined);
}
