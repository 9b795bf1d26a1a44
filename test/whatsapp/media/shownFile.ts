import type { FileKind } from './fileKinds.ts';
import type { Inside } from './insideShape.ts';

/** What a phone finds wrong with a file, or with what its message says of it. */
export const fileComplaints = {
  no_path: 'The message names no direct path.',
  other_link: 'The link is not one of the direct path, or not https.',
  gone: 'WhatsApp no longer has the file (404, 410).',
  forbidden: 'The link is not genuine, or no longer good (403).',
  no_key: 'The message has no key of 32 bytes.',
  needless_key: 'It is a file of a channel, which is not sealed, and the message has a key.',
  no_hash: 'The message lacks a hash of 32 bytes.',
  other_sealed_hash: 'What lies there has another hash than the message says.',
  unauthentic: 'The MAC at its end is not that of the key.',
  unpadded: 'Its last block is not filled up as it has to be.',
  other_hash: 'The file has another hash than the message says.',
  other_length: 'The file has another length than the message says.',
  wrong_key_time: 'The time of the key is not one of the last years, in seconds.',
  no_mimetype: 'The message names no type.',
  broken_thumbnail: 'The thumbnail is not a JPEG.',
  broken_waveform: 'The waveform does not have 64 values from 0 to 100.',
  other_folder: 'A file of a channel was uploaded as one of a chat, or the other way round.',
  no_handle: 'The message to a channel does not name the handle of its file: nobody would see it.',
  no_media_type: 'The post in a channel does not say what its file is (`mediatype`): clients would show none.',
  other_type: 'The bytes are of another format than the type that the message names.',
  other_area: 'The picture has another width or height than the message says.',
  other_seconds: 'It lasts more than a second longer or shorter than the message says.',
  broken_pages: 'Pages of the sound have a wrong checksum, and players skip them.',
  voice_not_opus: 'A voice note that is not Opus in Ogg, which not every phone plays.',
  broken_pack: 'A pack whose archive lacks a file that the message names.',
  broken_cover: 'A pack whose cover is not there, or not what the message says.',
  odd_sticker: 'A sticker that is not a WebP of 512 × 512.',
} as const;
export type FileComplaint = keyof typeof fileComplaints;

/** How far a phone got with a file. */
export type FileState =
  /** It is being fetched and checked. */
  | 'opening'
  /** It is larger than what the phone fetches by itself: its owner has not said yet to fetch it. */
  | 'left'
  /** It is whole, and everything that its message says of it is so. */
  | 'opened'
  /** It is not there, or something is not so: `complaints` say what. */
  | 'unopened'
  /** The owner has removed it from the phone. */
  | 'removed';

/** What a phone shows of a file. */
export interface ShownFile {
  readonly state: FileState;
  readonly complaints: readonly FileComplaint[];
  readonly kind: FileKind;
  readonly mimetype: string;
  readonly fileName: string | undefined;
  readonly caption: string | undefined;
  /** What the message says: bytes, and the hash of the content in hex. */
  readonly bytes: number;
  readonly sha256: string;
  /** Hash of what lies on the media hosts, in hex: by it they count and can be struck. */
  readonly sealedSha256: string;
  readonly directPath: string;
  readonly url: string | undefined;
  /** The key that opens it, in base64; empty for a file of a channel. */
  readonly mediaKey: string;
  /** Seconds since 1970. */
  readonly keyAt: number | undefined;
  readonly seconds: number | undefined;
  readonly waveform: readonly number[] | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly pages: number | undefined;
  readonly title: string | undefined;
  readonly animated: boolean | undefined;
  readonly viewOnce: boolean | undefined;
  /** Bytes of the thumbnail within the message. */
  readonly thumbnailBytes: number | undefined;
  /** Whether the message has a sidecar, and whether it is right by the form that public clients use. */
  readonly sidecar: 'none' | 'right' | 'wrong' | 'unchecked';
  /** What its bytes say, once it was opened. Formats that the phone does not know are `unknown`, and no complaint. */
  readonly inside?: Inside;
  /** The messages around it, outermost first, such as `documentWithCaptionMessage`. */
  readonly wrappers: readonly string[];
  /** The message of which it is a part, and as what, such as `MEDIA_ALBUM`. */
  readonly partOf: { readonly id: string; readonly as: string } | undefined;
}
