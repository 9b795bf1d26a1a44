import type { z } from 'zod';
import type { BodyField, Room } from './bodyField.ts';
import { base64, count, holds, list, moment, oneOf, wholeText, word } from './bodyField.ts';
import { THUMBNAIL_BYTES } from './thumbnail.ts';
import { record, type RecordOf } from './bodyShape.ts';

/**
 * What is needed to fetch a file of a message from WhatsApp and to open it. It is kept beside the content, and no tenant
 * sees it: whoever has the key reads the file.
 */
/** What a file of a message is, which the keys that it is sealed with are derived for. */
export const fileUses = ['image', 'video', 'audio', 'document', 'sticker', 'sticker_pack', 'payment'] as const;
export type FileUse = (typeof fileUses)[number];
/** The size of the largest file that WhatsApp lets people send, in bytes. */
export const FILE_BYTES = 2 * 1_024 ** 3;

/** The length of the largest small picture in base64. */
const THUMBNAIL_UNITS = Math.ceil(THUMBNAIL_BYTES / 3) * 4;

const fields = {
  /** `history`: earlier messages in a form of WhatsApp's own, which is no file for a tenant. */
  use: oneOf([...fileUses, 'history']),
  /** The place of the file within the body, such as `header` or `cards.0`; absent for one that is the whole message. */
  part: word(64),
  key: base64(),
  path: wholeText(),
  /** A link, where it is no link to the path at WhatsApp's usual host. */
  url: wholeText(),
  /** SHA-256 of the file as it lies there, sealed, and of the file itself. */
  sealed_sha256: base64(),
  sha256: base64(),
  /** When the key was made: WhatsApp keeps a file for some weeks from then on. */
  key_at: moment(),
  bytes: count(),
  mime_type: word(),
  /** The settings of the connection say that it is not fetched. */
  left: holds(),
  /** It lies there as it is, not sealed, as files of channels do. */
  plain: holds(),
  /** It stands in its message, and its small picture is all that there is of it: nothing is fetched. */
  inside: holds(),
  /** The small picture that the message carries of it: a JPEG and nothing else (shared/content/thumbnail.ts). It is kept in a row of its own. */
  thumbnail: wholeText(THUMBNAIL_UNITS),
} as const;
const file = record(fields);

export type MediaFile = RecordOf<typeof fields>;

/** The most files of one message: a carousel has 10 cards. */
export const MOST_FILES = 16;
const files: BodyField<readonly MediaFile[]> = list(file, MOST_FILES);
const ROOM_UNITS = 16_384 + THUMBNAIL_UNITS;

export const mediaFilesSchema: z.ZodType<readonly MediaFile[]> = files.schema;

/** A file without the small picture, as the rows of messages and files have it. */
export function withoutThumbnail({ thumbnail: _thumbnail, ...rest }: MediaFile): MediaFile {
  return rest;
}

/** The files of a message that strangers wrote, no larger than a store accepts. */
export function boundMediaFiles(given: readonly MediaFile[]): readonly MediaFile[] | undefined {
  const room: Room = { units: ROOM_UNITS, isCut: false };
  // A picture that stands in its message and has no room is not kept: nothing else leads to it.
  return files.bound(given, room)?.filter(({ inside, thumbnail }) => inside !== true || thumbnail !== undefined);
}
