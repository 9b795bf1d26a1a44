import { proto } from '@whiskeysockets/baileys';
import { fileKinds, type FileKind } from './fileKinds.ts';
import type { ShownFile } from './shownFile.ts';

/** A message without what is around it. */
export interface Unwrapped {
  readonly message: proto.IMessage;
  /** The fields that were around it, outermost first. */
  readonly wrappers: readonly string[];
}

/** Fields of a message that hold another message. */
const WRAPPERS = [
  'ephemeralMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
  'documentWithCaptionMessage',
  'associatedChildMessage',
  'lottieStickerMessage',
  'groupStatusMessage',
  'groupStatusMessageV2',
] as const satisfies readonly (keyof proto.IMessage)[];
const MOST_WRAPPERS = 5;

/** Takes a message out of the messages around it. */
export function unwrap(message: proto.IMessage): Unwrapped {
  let inner = message;
  const wrappers: string[] = [];
  while (wrappers.length < MOST_WRAPPERS) {
    const name = WRAPPERS.find((each) => inner[each]?.message);
    const next = name && inner[name]?.message;
    if (!name || !next) break;
    wrappers.push(name);
    const outerInfo = inner.messageContextInfo;
    inner = next.messageContextInfo || !outerInfo ? next : { ...next, messageContextInfo: outerInfo };
  }
  return { message: inner, wrappers };
}

/** What messages of files have in common; each has a part of it. */
export type FileFields = proto.Message.IImageMessage &
  Pick<proto.Message.IDocumentMessage, 'fileName' | 'pageCount' | 'title'> &
  Pick<proto.Message.IAudioMessage, 'waveform' | 'ptt' | 'seconds' | 'streamingSidecar'> &
  Pick<proto.Message.IVideoMessage, 'gifPlayback'> &
  Pick<proto.Message.IStickerMessage, 'isAnimated' | 'pngThumbnail'>;

/** The file of a message, with what the message says of it; undefined when it has none. */
export function fileOf(outer: proto.IMessage): { readonly shown: ShownFile; readonly fields: FileFields } | undefined {
  const { message, wrappers } = unwrap(outer);
  const kind = kindOf(message);
  if (kind === undefined) return undefined;
  const fields = message[fileKinds[kind].field] as FileFields;
  const association = message.messageContextInfo?.messageAssociation;
  return {
    fields,
    shown: {
      state: 'opening',
      complaints: [],
      kind,
      ...describe(fields),
      // The message of a pack names no type of its own: it is a ZIP archive.
      ...(kind === 'sticker_pack' ? { mimetype: fileKinds.sticker_pack.mimetype } : {}),
      sidecar: fields.streamingSidecar?.length ? 'unchecked' : 'none',
      wrappers,
      partOf: association?.parentMessageKey?.id
        ? {
            id: association.parentMessageKey.id,
            as: proto.MessageAssociation.AssociationType[association.associationType ?? 0] ?? '',
          }
        : undefined,
    },
  };
}

function kindOf(message: proto.IMessage): FileKind | undefined {
  if (message.audioMessage) return message.audioMessage.ptt ? 'voice' : 'audio';
  if (message.videoMessage) return message.videoMessage.gifPlayback ? 'gif' : 'video';
  const kinds = ['image', 'video_note', 'document', 'sticker', 'sticker_pack'] as const;
  return kinds.find((kind) => message[fileKinds[kind].field]);
}

function describe(fields: FileFields) {
  return {
    mimetype: fields.mimetype ?? '',
    fileName: fields.fileName ?? undefined,
    caption: fields.caption || undefined,
    bytes: numberOf(fields.fileLength) ?? 0,
    sha256: hex(fields.fileSha256),
    // A file of a channel lies there as it is.
    sealedSha256: hex(fields.fileEncSha256?.length ? fields.fileEncSha256 : fields.fileSha256),
    directPath: fields.directPath ?? '',
    url: fields.url || undefined,
    mediaKey: Buffer.from(fields.mediaKey ?? []).toString('base64'),
    keyAt: numberOf(fields.mediaKeyTimestamp),
    seconds: fields.seconds || undefined,
    waveform: fields.waveform?.length ? [...fields.waveform] : undefined,
    width: fields.width || undefined,
    height: fields.height || undefined,
    pages: fields.pageCount || undefined,
    title: fields.title || undefined,
    animated: fields.isAnimated ?? undefined,
    viewOnce: fields.viewOnce || undefined,
    thumbnailBytes: fields.jpegThumbnail?.length || fields.pngThumbnail?.length || undefined,
  };
}

const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex');

function numberOf(value: { toString(): string } | number | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined;
  const number = Number(value.toString());
  return number === 0 ? undefined : number;
}
