import { z } from 'zod';
import type { InboundContent } from '../content/content.ts';
import { withoutThumbnail, type MediaFile } from '../content/mediaFile.ts';
import {
  deriveMediaId,
  type ConnectionId,
  type CorrelationId,
  type MediaId,
  type MessageId,
  type TenantId,
} from '../kernel/id.ts';
import type { ObjectName } from './fileKeeping.ts';
import { mediaFaults, type MediaFault } from './mediaFaults.ts';
import { uploadFaults, type UploadFault } from './uploadFaults.ts';
import { toFileName } from './offeredFile.ts';
import type { AskedOfPhone, PhoneAnswer } from './phoneAsk.ts';

/** States of a file of a message. `left` was not fetched, as the settings say; `gone` was here, and is not kept any more. */
export const mediaStates = ['pending', 'ready', 'failed', 'left', 'gone'] as const;
export type MediaState = (typeof mediaStates)[number];

/** One file of a message, as the message alone tells it. */
export interface FileOfMessage {
  readonly mediaId: MediaId;
  /** The type of the message, such as `voice`. */
  readonly type: string;
  /** What is needed to fetch and to open it, with what its sender says of it. No tenant sees the keys. */
  readonly file: MediaFile;
  /** What the message says of it, which nobody has checked. */
  readonly told: ToldOfFile;
  readonly state: MediaState;
  /** Why it failed. */
  readonly fault?: MediaFault | undefined;
  /** Whether a small picture of it is kept, which its message carried. */
  readonly hasThumbnail?: true | undefined;
}

/** One file of a message, as its own row has it. */
export interface Media extends FileOfMessage {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly messageId: MessageId;
  readonly correlationId: CorrelationId;
  readonly createdAtMs: number;
  /** The shard of the connection, whose owner asks the phone; left out in rows of an earlier release. */
  readonly shard?: number | undefined;
  /** How often the account's phone was asked for it in this round, and what it said last. */
  readonly asked?: AskedOfPhone | undefined;
  readonly answer?: PhoneAnswer | undefined;
  /** The number of times that it was asked for; a fetch of an earlier one changes nothing. */
  readonly round: number;
  /** What was found when it was read to its end. */
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
  readonly endedAtMs?: number | undefined;
  /** Where it lies, and which generation of that object it holds; left out in rows of an earlier release. */
  readonly objectKey?: string | undefined;
  readonly generation?: number | undefined;
  /** Until when it is kept, once it is here. */
  readonly keptUntilMs?: number | undefined;
  /** When it was asked for that it is erased, with its message. */
  readonly eraseAskedAtMs?: number | undefined;
}

/** What a message says of its file, where its kind has it. */
export interface ToldOfFile {
  readonly filename?: string;
  readonly width?: number;
  readonly height?: number;
  readonly duration?: number;
  readonly pages?: number;
}

/** The codes of files that are not here, and of those that could not be sent. */
const shownFaults = [...new Set([...Object.keys(mediaFaults), ...Object.keys(uploadFaults)])] as [
  MediaFault | UploadFault,
  ...(MediaFault | UploadFault)[],
];

/** A file as events and the API show it. */
export const shownMediaSchema = z
  .object({
    id: z.string().meta({ description: '`GET /v1/media/{id}` leads to the file.' }),
    type: z.string().meta({ description: 'The type of the message, such as `voice`.' }),
    part: z.string().optional().meta({
      description: 'Where the file stands in the content, such as `header`; absent where the message is the file.',
    }),
    state: z.enum(mediaStates).meta({
      description:
        '`pending`: it is being fetched. `left`: your settings say that it is not fetched; ask for it with `POST …/fetch`. `gone`: it is not kept any more.',
    }),
    error: z
      .object({ code: z.enum(shownFaults), sentence: z.string() })
      .optional()
      .meta({ description: 'Why it failed: it could not be fetched, or, of what you send, not be made what is sent.' }),
    mime_type: z.string().optional(),
    bytes: z.number().int().optional().meta({ description: 'As its sender says, until it is `ready`; then as it is.' }),
    sha256: z
      .string()
      .optional()
      .meta({ description: 'In base64. As its sender says, until it is `ready`; then as it is.' }),
    filename: z.string().optional(),
    width: z.number().int().optional().meta({ description: 'In pixels, as its sender says.' }),
    height: z.number().int().optional().meta({ description: 'In pixels, as its sender says.' }),
    duration: z.number().int().optional().meta({ description: 'In seconds, as its sender says.' }),
    pages: z.number().int().optional(),
    thumbnail: z.string().optional().meta({
      description:
        'The path of the small picture that the message carries of it, a JPEG: there before the file is, and also where it is not fetched.',
      example: '/v1/media/med_01K3C5F7XQ4T6V8X0Z2B4D6F8H/thumbnail',
    }),
    kept_until: z.iso.datetime().optional().meta({ description: 'When it ends, once it is here.' }),
  })
  .meta({ id: 'Media' });
export type ShownMedia = z.infer<typeof shownMediaSchema>;

type Ended = Pick<Media, 'bytes' | 'sha256' | 'keptUntilMs'>;

/** A file as it is shown. */
export function toShownMedia({
  mediaId,
  type,
  file,
  told,
  state,
  fault,
  bytes,
  sha256,
  keptUntilMs,
  hasThumbnail,
}: FileOfMessage & Ended): ShownMedia {
  return present({
    id: mediaId,
    type,
    part: file.part,
    state,
    error: fault === undefined ? undefined : { code: fault, sentence: mediaFaults[fault].sentence },
    mime_type: file.mime_type,
    bytes: bytes ?? file.bytes,
    sha256: sha256 ?? file.sha256,
    ...told,
    filename: toShownName(told.filename),
    thumbnail: hasThumbnail === true && state !== 'gone' ? `/v1/media/${mediaId}/thumbnail` : undefined,
    ...toKeptUntil(state, keptUntilMs),
  });
}

/** Until when a file is kept that is here. */
export function toKeptUntil(state: string, atMs: number | undefined): { readonly kept_until?: string } {
  return state !== 'ready' || atMs === undefined ? {} : { kept_until: new Date(atMs).toISOString() };
}

/** The name under which a file would be saved, so that a stranger's name reads the same in a list and in a folder. */
function toShownName(filename: string | undefined): string | undefined {
  const name = filename === undefined ? '' : toFileName(filename);
  return name === '' ? undefined : name;
}

/** The files of a message as its event shows them. */
export function toldMedia(media: readonly Media[]): { readonly media?: ShownMedia[] } {
  return media.length === 0 ? {} : { media: media.map(toShownMedia) };
}

/** The files of a message as they were when it came. */
export function filesOf(message: {
  readonly messageId: MessageId;
  readonly content: InboundContent;
  readonly files?: readonly MediaFile[] | undefined;
}): readonly FileOfMessage[] {
  const { messageId, content, files = [] } = message;
  return files.flatMap((file, place) => {
    if (file.use === 'history') return [];
    const told = file.part === undefined ? toldOf(content) : {};
    return [{ mediaId: deriveMediaId(messageId, place), type: content.type, file, told, ...beginningOf(file) }];
  });
}

/** The ids of the files of a message, of which there are rows. */
export function mediaIdsOf(messageId: MessageId, files: readonly MediaFile[]): readonly MediaId[] {
  return files.flatMap(({ use }, place) => (use === 'history' ? [] : [deriveMediaId(messageId, place)]));
}

/** How a file begins. One that can never be fetched or opened, by what its message says, has failed at once. */
function beginningOf({ key, plain, path, url, left, inside }: MediaFile): Pick<FileOfMessage, 'state' | 'fault'> {
  if (inside === true) return { state: 'ready' };
  if (path === undefined && url === undefined) return { state: 'failed', fault: 'no_place' };
  if (key === undefined && plain !== true) return { state: 'failed', fault: 'key_unusable' };
  return { state: left === true ? 'left' : 'pending' };
}

/** The rows of the files of a message that comes. */
export function mediaOf(
  message: Pick<Media, 'tenantId' | 'connectionId' | 'messageId' | 'correlationId' | 'createdAtMs' | 'shard'> &
    Parameters<typeof filesOf>[0],
): readonly Media[] {
  const { tenantId, connectionId, messageId, correlationId, createdAtMs, shard } = message;
  const owner = { tenantId, connectionId, messageId, correlationId, createdAtMs, shard };
  return filesOf(message).map(({ file, ...of }) => {
    const { thumbnail } = file;
    const small = thumbnail === undefined ? {} : { hasThumbnail: true as const };
    return { ...of, file: withoutThumbnail(file), ...small, ...owner, round: 1 };
  });
}

/** The small pictures that a message carries of its files. */
export function thumbnailsOf(message: Parameters<typeof filesOf>[0]): readonly Thumbnail[] {
  return filesOf(message).flatMap(({ mediaId, file: { thumbnail } }) =>
    thumbnail === undefined ? [] : [{ mediaId, thumbnail }],
  );
}

/** The small picture of a file, a JPEG in base64. */
export interface Thumbnail {
  readonly mediaId: MediaId;
  readonly thumbnail: string;
}

/** The object that a file is: a tenant has each once, whatever the number of messages that bring it. */
export function objectNameOf({
  tenantId,
  mediaId,
  file: { sha256 },
}: Pick<Media, 'tenantId' | 'mediaId' | 'file'>): ObjectName {
  // A hash that its sender left out is known only when the file has been read.
  return { tenantId, name: sha256 === undefined ? mediaId : Buffer.from(sha256, 'base64').toString('hex') };
}

/** The key of a file that is here. */
export function objectKeyOf(media: Pick<Media, 'tenantId' | 'mediaId' | 'file' | 'objectKey'>): string {
  const { tenantId, name } = objectNameOf(media);
  return media.objectKey ?? `${tenantId}/${name}`;
}

function toldOf(content: InboundContent): ToldOfFile {
  const body = (content as unknown as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>)[
    content.type
  ];
  const number = (name: string): number | undefined => (typeof body?.[name] === 'number' ? body[name] : undefined);
  const filename = body?.['filename'];
  return present({
    filename: typeof filename === 'string' ? filename : undefined,
    width: number('width'),
    height: number('height'),
    duration: number('duration'),
    pages: number('pages'),
  });
}

function present<Shape extends object>(fields: { readonly [Name in keyof Shape]: Shape[Name] | undefined }): Shape {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Shape;
}
