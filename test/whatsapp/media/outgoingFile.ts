import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';
import { z } from 'zod';
import { FILE_KINDS, fileKinds, type FileKind } from './fileKinds.ts';
import type { FileStore, StoredFile } from './fileStore.ts';
import { keysOf, Sealing } from './sealing.ts';
import { THUMBNAIL } from './thumbnail.ts';

/**
 * A file that a phone's owner sends: its bytes, or how many bytes of noise, and what the message says of it. What is not
 * given is what a phone would say; `spoil` makes one thing of it wrong.
 */
export const SPOILED = ['mac', 'hash', 'sealed_hash', 'length', 'key', 'no_key', 'no_path', 'gone'] as const;

const described = {
  kind: z.enum(FILE_KINDS as [FileKind, ...FileKind[]]),
  mimetype: z.string().min(3).max(100).optional(),
  fileName: z.string().min(1).max(255).optional(),
  title: z.string().min(1).max(255).optional(),
  pages: z.number().int().positive().optional(),
  seconds: z.number().int().positive().optional(),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
  /** Values from 0 to 100, usually 64. */
  waveform: z.array(z.number().int().min(0).max(255)).max(1_024).optional(),
  /** A JPEG, base64; a small grey one with true, none with false. */
  thumbnail: z.union([z.boolean(), z.base64()]).optional(),
  animated: z.boolean().optional(),
  spoil: z.enum(SPOILED).optional(),
} as const;
const noise = z.strictObject({
  bytes: z
    .number()
    .int()
    .min(0)
    .max(2 * 1024 ** 3),
  seed: z.number().int().min(0).default(0),
});
export const outgoingFileSchema = z.union(
  [z.strictObject({ ...described, data: z.base64() }), z.strictObject({ ...described, noise })],
  'must be {kind, data} with data in base64, or {kind, noise: {bytes, seed?}}, and what the message says of the file',
);
export type OutgoingFile = z.infer<typeof outgoingFileSchema>;

const NOISE_CHUNK = Buffer.alloc(1_048_576);

/** Bytes that look like chance, and are the same for the same seed. They are never in memory all at once. */
export async function* noiseOf({ bytes, seed = 0 }: { readonly bytes: number; readonly seed?: number }) {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(String(seed)).digest(), Buffer.alloc(16));
  for (let left = bytes; left > 0; left -= NOISE_CHUNK.length) {
    yield cipher.update(NOISE_CHUNK.subarray(0, Math.min(left, NOISE_CHUNK.length)));
  }
}

/** What a message has to say so that its readers find a file and open it. */
export type FileFacts = Pick<
  proto.Message.IVideoMessage,
  | 'url'
  | 'directPath'
  | 'mediaKey'
  | 'fileEncSha256'
  | 'fileSha256'
  | 'fileLength'
  | 'mediaKeyTimestamp'
  | 'streamingSidecar'
>;

export interface Upload {
  readonly store: FileStore;
  /** Host and port for links. */
  readonly host: string;
  /** Number of the account that sends it. */
  readonly by: string;
}

/** A phone seals a file and uploads it. Returns what its message says. */
export async function uploadSealed({ store, host, by }: Upload, outgoing: OutgoingFile): Promise<FileFacts> {
  const kind = fileKinds[outgoing.kind];
  const mediaKey = randomBytes(32);
  const { spoil } = outgoing;
  const sealing = new Sealing(contentOf(outgoing), keysOf(mediaKey, kind.use));
  const chunks = spoil === 'mac' ? withWrongEnd(sealing.chunks()) : sealing.chunks();
  const file = await put(store, { type: kind.upload, by }, chunks);
  const { sha256, bytes, sidecar } = sealing.sealed;
  if (spoil === 'gone') store.expire(file.sha256, 404);
  return {
    ...linkOf(store, host, file, spoil),
    ...(spoil === 'no_key' ? {} : { mediaKey: spoil === 'key' ? randomBytes(32) : mediaKey }),
    fileEncSha256: spoil === 'sealed_hash' ? randomBytes(32) : Buffer.from(file.sha256, 'hex'),
    fileSha256: spoil === 'hash' ? randomBytes(32) : sha256,
    fileLength: spoil === 'length' ? bytes + 1 : bytes,
    mediaKeyTimestamp: Math.floor(Date.now() / 1_000),
    ...(kind.streams ? { streamingSidecar: sidecar } : {}),
  };
}

/** The owner of a channel uploads a file as it is. Returns what its message says. */
export async function uploadPlain({ store, host, by }: Upload, outgoing: OutgoingFile): Promise<FileFacts> {
  const type = `newsletter-${fileKinds[outgoing.kind].upload}`;
  const file = await put(store, { type, by }, contentOf(outgoing));
  const { spoil } = outgoing;
  if (spoil === 'gone') store.expire(file.sha256, 404);
  return {
    ...linkOf(store, host, file, spoil),
    fileSha256: spoil === 'hash' ? randomBytes(32) : Buffer.from(file.sha256, 'hex'),
    fileLength: spoil === 'length' ? file.bytes + 1 : file.bytes,
  };
}

async function put(
  store: FileStore,
  { type, by }: { readonly type: string; readonly by: string },
  chunks: AsyncIterable<Uint8Array>,
): Promise<StoredFile> {
  const taken = await store.take(chunks, { type, by, maximumBytes: Infinity });
  if ('refused' in taken) throw new Error(`the store refuses it: ${taken.refused}`);
  return taken.file;
}

function linkOf(store: FileStore, host: string, file: StoredFile, spoil: OutgoingFile['spoil']) {
  const directPath = store.pathOf(file);
  return spoil === 'no_path' ? {} : { url: `https://${host}${directPath}&mms3=true`, directPath };
}

async function* contentOf(outgoing: OutgoingFile): AsyncGenerator<Uint8Array> {
  if ('data' in outgoing) yield Buffer.from(outgoing.data, 'base64');
  else yield* noiseOf(outgoing.noise);
}

/** Changes the last bit of the last chunk, which is the MAC. */
async function* withWrongEnd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last: Buffer | undefined;
  for await (const chunk of chunks) {
    if (last !== undefined) yield last;
    last = chunk;
  }
  if (last === undefined) return;
  last[last.length - 1] = (last.at(-1) ?? 0) ^ 1;
  yield last;
}

const HAVE_THUMBNAILS: ReadonlySet<FileKind> = new Set(['image', 'video', 'video_note', 'gif', 'document']);

/** The message of a file. */
export function messageOfFile(outgoing: OutgoingFile, facts: FileFacts, caption: string | undefined): proto.IMessage {
  const { kind, mimetype, width, height, seconds } = outgoing;
  const common = {
    ...facts,
    mimetype: mimetype ?? fileKinds[kind].mimetype,
    ...given({ caption, width, height, seconds, jpegThumbnail: thumbnailOf(outgoing) }),
  };
  const message = shapes[kind](common, outgoing);
  // The caption of a document stands in a message around it, as phones write it.
  return kind === 'document' && caption !== undefined ? { documentWithCaptionMessage: { message } } : message;
}

type Common = FileFacts & { readonly mimetype: string };

const shapes: Readonly<Record<FileKind, (common: Common, outgoing: OutgoingFile) => proto.IMessage>> = {
  image: (imageMessage) => ({ imageMessage }),
  video: (videoMessage) => ({ videoMessage }),
  video_note: (ptvMessage) => ({ ptvMessage }),
  gif: (common) => ({ videoMessage: { ...common, ...GIF } }),
  audio: (audioMessage) => ({ audioMessage }),
  voice: (common, { waveform }) => ({
    audioMessage: { ...common, ptt: true, ...(waveform === undefined ? {} : { waveform: Uint8Array.from(waveform) }) },
  }),
  document: (common, { fileName, title = fileName, pages: pageCount }) => ({
    documentMessage: { ...common, ...given({ fileName, title, pageCount }) },
  }),
  sticker: (common, { animated = false }) => ({
    stickerMessage: { ...common, isAnimated: animated, stickerSentTs: Date.now() },
  }),
  sticker_pack: (common, { title = 'Pack' }) => ({ stickerPackMessage: toPack(common, title) }),
};

const GIF = { gifPlayback: true, gifAttribution: 1 } as const;

/** A pack is one ZIP archive with all stickers in it. The form is that of zapo; nobody has verified it. */
function toPack(facts: Common, name: string): proto.Message.IStickerPackMessage {
  const { url: _url, mimetype: _mimetype, ...rest } = facts;
  return {
    ...rest,
    stickerPackId: randomBytes(8).toString('hex'),
    name,
    publisher: 'Sandbox',
    stickers: [{ fileName: '1.webp', isAnimated: false, emojis: ['🙂'], mimetype: 'image/webp' }],
    trayIconFileName: 'tray.webp',
    ...given({ stickerPackSize: facts.fileLength ?? undefined }),
  };
}

function thumbnailOf({ kind, thumbnail = HAVE_THUMBNAILS.has(kind) }: OutgoingFile): Buffer | undefined {
  if (thumbnail === false) return undefined;
  return thumbnail === true ? THUMBNAIL : Buffer.from(thumbnail, 'base64');
}

type Given<Fields> = { [Name in keyof Fields]?: NonNullable<Fields[Name]> };

function given<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>;
}
