import { createHash } from 'node:crypto';
import { fileKinds, isOfChannel } from './fileKinds.ts';
import type { FileFields } from './filesOf.ts';
import type { FileStore, StoredFile } from './fileStore.ts';
import { Head, isCalled } from './inside.ts';
import type { Inside } from './insideShape.ts';
import { complaintsOfPack } from './packs.ts';
import { keysOf, Opening } from './sealing.ts';
import type { FileComplaint, ShownFile } from './shownFile.ts';

/**
 * How a phone opens what it was sent: it fetches the file by its direct path, checks MAC, both hashes and the length, and
 * what else the message says of it. It reads from the store of the media hosts, so what it fetches counts for nobody and no
 * fault of a host hits it. A file that went to a thousand phones is opened once.
 */
export interface Verdict {
  readonly complaints: readonly FileComplaint[];
  readonly sidecar: ShownFile['sidecar'];
  readonly inside?: Inside;
}

const MOST_REMEMBERED = 2_000;
const FIRST_KEY_TIME = Date.UTC(2020, 0, 1) / 1_000;
const DAY_SECONDS = 86_400;
const WAVEFORM_VALUES = 64;

export class FileOpener {
  readonly #store: FileStore;
  readonly #verdicts = new Map<string, Promise<Verdict>>();

  constructor(store: FileStore) {
    this.#store = store;
  }

  /** @param isPost it is in a channel, where files are not sealed */
  async open(shown: ShownFile, fields: FileFields, isPost: boolean): Promise<Verdict> {
    const said = complaintsOfMessage(shown, fields, isPost);
    if (said.includes('no_path') || said.includes('no_key')) return { complaints: said, sidecar: shown.sidecar };
    const found = this.#store.find(shown.directPath);
    if ('refused' in found) {
      return { complaints: [...said, found.refused === 403 ? 'forbidden' : 'gone'], sidecar: shown.sidecar };
    }
    if (isOfChannel(found.file.type) !== isPost) said.push('other_folder');
    const { kind, sealedSha256, sha256, bytes, mediaKey } = shown;
    const key = [found.file.name, kind, sealedSha256, sha256, bytes, mediaKey].join('/');
    const known = this.#verdicts.get(key) ?? this.#read(found.file, shown, fields, isPost);
    this.#verdicts.set(key, known);
    const [oldest] = this.#verdicts.size > MOST_REMEMBERED ? this.#verdicts.keys() : [];
    if (oldest !== undefined) this.#verdicts.delete(oldest);
    const verdict = await known;
    const { inside = { format: 'unknown' } } = verdict;
    return { ...verdict, complaints: [...said, ...verdict.complaints, ...complaintsOfInside(inside, shown)] };
  }

  /** The content of a file that was opened before. */
  async *content(shown: ShownFile): AsyncGenerator<Buffer> {
    const found = this.#store.find(shown.directPath);
    if ('refused' in found) throw new Error('it is not on the server');
    if (shown.mediaKey === '') yield* this.#store.read(found.file);
    else yield* this.#opening(found.file, shown).chunks();
  }

  #opening(file: StoredFile, shown: ShownFile): Opening {
    const keys = keysOf(Buffer.from(shown.mediaKey, 'base64'), fileKinds[shown.kind].use);
    return new Opening(this.#store.read(file), keys);
  }

  async #read(file: StoredFile, shown: ShownFile, fields: FileFields, isPost: boolean): Promise<Verdict> {
    const head = new Head();
    if (isPost) {
      const complaints = await complaintsOfPlain(this.#store.read(file), shown, head);
      return { complaints, sidecar: shown.sidecar, inside: head.read() };
    }
    const opening = this.#opening(file, shown);
    const archive: Buffer[] = [];
    for await (const chunk of opening.chunks()) {
      head.update(chunk);
      if (shown.kind === 'sticker_pack') archive.push(chunk);
    }
    const { isAuthentic, isPadded, sealedSha256, sha256, bytes, sidecar } = opening.opened;
    const complaints: FileComplaint[] = [];
    if (sealedSha256.toString('hex') !== shown.sealedSha256) complaints.push('other_sealed_hash');
    if (!isAuthentic) complaints.push('unauthentic');
    else if (!isPadded) complaints.push('unpadded');
    else complaints.push(...complaintsOfContent(sha256, bytes, shown));
    if (shown.kind === 'sticker_pack') {
      complaints.push(...(await complaintsOfPack(this.#store, Buffer.concat(archive), fields)));
    }
    const said = fields.streamingSidecar;
    const isRight = said?.length ? sidecar.equals(said) : undefined;
    return {
      complaints,
      sidecar: isRight === undefined ? 'none' : isRight ? 'right' : 'wrong',
      // What nobody has sealed says nothing.
      ...(isAuthentic ? { inside: head.read() } : {}),
    };
  }
}

async function complaintsOfPlain(
  content: AsyncIterable<Buffer>,
  shown: ShownFile,
  head: Head,
): Promise<readonly FileComplaint[]> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    head.update(chunk);
    bytes += chunk.length;
  }
  return complaintsOfContent(hash.digest(), bytes, shown);
}

function complaintsOfContent(sha256: Buffer, bytes: number, shown: ShownFile): FileComplaint[] {
  return [
    ...(sha256.toString('hex') === shown.sha256 ? [] : (['other_hash'] as const)),
    ...(bytes === shown.bytes ? [] : (['other_length'] as const)),
  ];
}

const STICKER_SIZE = 512;

/** What the message says and the bytes do not, where their format is known. */
function complaintsOfInside(inside: Inside, shown: ShownFile): readonly FileComplaint[] {
  const { format, width, height, seconds } = inside;
  if (format === 'unknown') return [];
  const { kind, mimetype } = shown;
  const isOther = (said: number | undefined, found: number | undefined): boolean =>
    said !== undefined && found !== undefined && said !== found;
  const found: readonly (readonly [FileComplaint, boolean])[] = [
    ['other_type', !isCalled(format, mimetype)],
    // What is turned when it is shown has width for height.
    ['other_area', isOther(shown.width, width) && isOther(shown.width, height)],
    ['other_area', isOther(shown.height, height) && isOther(shown.height, width)],
    ['other_seconds', isOther(shown.seconds, seconds) && Math.abs((shown.seconds ?? 0) - (seconds ?? 0)) > 1],
    ['broken_pages', inside.intact === false],
    ['voice_not_opus', kind === 'voice' && inside.packetMs === undefined],
    ['odd_sticker', kind === 'sticker' && !(format === 'webp' && width === STICKER_SIZE && height === STICKER_SIZE)],
  ];
  return [...new Set(found.filter(([, isSo]) => isSo).map(([complaint]) => complaint))];
}

/** What is wrong with the words of a message, whatever the file is. */
function complaintsOfMessage(shown: ShownFile, fields: FileFields, isPost: boolean): FileComplaint[] {
  const hasKey = fields.mediaKey?.length === 32;
  const isHash = (hash: Uint8Array | null | undefined): boolean => hash?.length === 32;
  const now = Date.now() / 1_000;
  const keyAt = shown.keyAt ?? 0;
  const { jpegThumbnail, waveform } = fields;
  const found: readonly (readonly [FileComplaint, boolean])[] = [
    ['no_path', !shown.directPath.startsWith('/')],
    ['other_link', shown.url !== undefined && !isLinkOf(shown.url, shown.directPath)],
    ['no_key', !isPost && !hasKey],
    ['needless_key', isPost && Boolean(fields.mediaKey?.length)],
    ['no_hash', !isHash(fields.fileSha256) || (!isPost && !isHash(fields.fileEncSha256))],
    ['wrong_key_time', !isPost && !(keyAt >= FIRST_KEY_TIME && keyAt <= now + DAY_SECONDS)],
    ['no_mimetype', shown.mimetype === ''],
    ['broken_thumbnail', Boolean(jpegThumbnail?.length) && !isJpeg(jpegThumbnail ?? Buffer.alloc(0))],
    ['broken_waveform', Boolean(waveform?.length) && !isWaveform(waveform ?? Buffer.alloc(0))],
  ];
  return found.filter(([, isSo]) => isSo).map(([complaint]) => complaint);
}

function isLinkOf(url: string, directPath: string): boolean {
  return URL.canParse(url) && url.startsWith('https://') && new URL(url).pathname === directPath.split('?')[0];
}

const isJpeg = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, 3)).equals(Buffer.from([0xff, 0xd8, 0xff])) &&
  Buffer.from(bytes.subarray(-2)).equals(Buffer.from([0xff, 0xd9]));

const isWaveform = (values: Uint8Array): boolean =>
  values.length === WAVEFORM_VALUES && values.every((value) => value <= 100);
