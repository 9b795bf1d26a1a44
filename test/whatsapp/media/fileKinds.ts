/**
 * The kinds of files that people send each other: under which field of a message each one stands, which keys it is sealed
 * with, and under which name it is uploaded. The names of the keys are those of every public client (Baileys,
 * `MEDIA_HKDF_KEY_MAPPING`; whatsmeow, `MediaType`).
 */
export type FileUse = 'image' | 'video' | 'audio' | 'document' | 'sticker_pack' | 'sticker_pack_cover' | 'history';

/** What the keys of a file are derived for: text that goes into the derivation. */
export const KEY_TEXTS: Readonly<Record<FileUse, string>> = {
  image: 'WhatsApp Image Keys',
  video: 'WhatsApp Video Keys',
  audio: 'WhatsApp Audio Keys',
  document: 'WhatsApp Document Keys',
  sticker_pack: 'WhatsApp Sticker Pack Keys',
  sticker_pack_cover: 'WhatsApp Sticker Pack Thumbnail Keys',
  history: 'WhatsApp History Keys',
};

export type FileKind =
  'image' | 'video' | 'video_note' | 'gif' | 'audio' | 'voice' | 'document' | 'sticker' | 'sticker_pack';

interface Kind {
  readonly field:
    | 'imageMessage'
    | 'videoMessage'
    | 'ptvMessage'
    | 'audioMessage'
    | 'documentMessage'
    | 'stickerMessage'
    | 'stickerPackMessage';
  readonly use: FileUse;
  /** Last part but one of the path under which phones upload it. */
  readonly upload: string;
  /** What the sealed part of the stanza says of it. */
  readonly mediaType: string;
  readonly mimetype: string;
  /** Whether its player fetches parts of it before the whole, and wants to check them. */
  readonly streams: boolean;
}

export const fileKinds: Readonly<Record<FileKind, Kind>> = {
  image: {
    field: 'imageMessage',
    use: 'image',
    upload: 'image',
    mediaType: 'image',
    mimetype: 'image/jpeg',
    streams: false,
  },
  video: {
    field: 'videoMessage',
    use: 'video',
    upload: 'video',
    mediaType: 'video',
    mimetype: 'video/mp4',
    streams: true,
  },
  video_note: {
    field: 'ptvMessage',
    use: 'video',
    upload: 'video',
    mediaType: 'ptv',
    mimetype: 'video/mp4',
    streams: true,
  },
  gif: { field: 'videoMessage', use: 'video', upload: 'gif', mediaType: 'gif', mimetype: 'video/mp4', streams: true },
  audio: {
    field: 'audioMessage',
    use: 'audio',
    upload: 'audio',
    mediaType: 'audio',
    mimetype: 'audio/mp4',
    streams: true,
  },
  voice: {
    field: 'audioMessage',
    use: 'audio',
    upload: 'ptt',
    mediaType: 'ptt',
    mimetype: 'audio/ogg; codecs=opus',
    streams: true,
  },
  document: {
    field: 'documentMessage',
    use: 'document',
    upload: 'document',
    mediaType: 'document',
    mimetype: 'application/pdf',
    streams: false,
  },
  sticker: {
    field: 'stickerMessage',
    use: 'image',
    upload: 'sticker',
    mediaType: 'sticker',
    mimetype: 'image/webp',
    streams: false,
  },
  sticker_pack: {
    field: 'stickerPackMessage',
    use: 'sticker_pack',
    upload: 'sticker-pack',
    mediaType: 'sticker_pack',
    mimetype: 'application/zip',
    streams: false,
  },
};

export const FILE_KINDS = Object.keys(fileKinds) as readonly FileKind[];

/**
 * Names under which files are uploaded, and the folders in which they then lie. The folders of those five are what real
 * links show; the others are made up.
 */
const FOLDERS: Readonly<Record<string, string>> = {
  image: 't62.7118-24',
  video: 't62.7161-24',
  audio: 't62.7117-24',
  document: 't62.7119-24',
  sticker: 't62.15575-24',
  gif: 't62.7161-24',
  ptt: 't62.7117-24',
  'sticker-pack': 't62.0-24',
  'thumbnail-link': 't62.0-24',
  'thumbnail-image': 't62.0-24',
  'thumbnail-video': 't62.0-24',
  'thumbnail-document': 't62.0-24',
  'thumbnail-sticker-pack': 't62.0-24',
  'md-app-state': 't62.0-24',
  'md-msg-hist': 't62.0-24',
};

/** The folder of what is uploaded under a name; undefined when WhatsApp takes nothing under it. */
export function folderOf(type: string): string | undefined {
  if (type === 'picture') return 't61.24694-24';
  const name = type.replace(/^newsletter-/, '');
  return Object.hasOwn(FOLDERS, name) ? FOLDERS[name] : undefined;
}

/** Files of channels are not sealed. */
export const isOfChannel = (type: string): boolean => type.startsWith('newsletter-');
