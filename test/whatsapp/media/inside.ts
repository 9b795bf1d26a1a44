import type { Format, Inside } from './insideShape.ts';
import { readMp4 } from './mp4.ts';
import { readOggOpus } from './oggOpus.ts';

/** How files of a format begin, and which types a message may call them. */
const FORMATS = {
  jpeg: { begins: [0, 'ffd8ff'], types: ['image/jpeg', 'image/jpg'] },
  png: { begins: [0, '89504e470d0a1a0a'], types: ['image/png'] },
  gif: { begins: [0, '47494638'], types: ['image/gif'] },
  webp: { begins: [8, '57454250'], types: ['image/webp'] },
  ogg: { begins: [0, '4f676753'], types: ['audio/ogg', 'application/ogg', 'audio/opus'] },
  mp4: {
    begins: [4, '66747970'],
    types: ['video/mp4', 'audio/mp4', 'audio/aac', 'audio/m4a', 'video/3gpp', 'video/quicktime'],
  },
  webm: { begins: [0, '1a45dfa3'], types: ['video/webm', 'audio/webm', 'video/x-matroska'] },
  mp3: { begins: [0, '494433'], types: ['audio/mpeg', 'audio/mp3'] },
  amr: { begins: [0, '2321414d52'], types: ['audio/amr'] },
  pdf: { begins: [0, '25504446'], types: ['application/pdf'] },
  zip: { begins: [0, '504b0304'], types: [] },
} as const satisfies Record<
  Exclude<Format, 'unknown'>,
  { readonly begins: readonly [number, string]; readonly types: readonly string[] }
>;

/** Whether a message may call a file of this format so. */
export function isCalled(format: Format, mimetype: string): boolean {
  const types: readonly string[] = format === 'unknown' ? [] : FORMATS[format].types;
  return types.length === 0 || types.includes(mimetype.split(';')[0]?.trim().toLowerCase() ?? '');
}

const HEAD_BYTES = 2 * 1024 * 1024;

/** Keeps the beginning of a file as it passes by. */
export class Head {
  readonly #chunks: Uint8Array[] = [];
  #kept = 0;
  #bytes = 0;

  update(chunk: Uint8Array): void {
    const piece = chunk.subarray(0, HEAD_BYTES - this.#kept);
    if (piece.length > 0) this.#chunks.push(piece);
    this.#kept += piece.length;
    this.#bytes += chunk.length;
  }

  read(): Inside {
    const head = Buffer.concat(this.#chunks);
    return readInside(head, this.#bytes === this.#kept);
  }
}

type Reader = (head: Buffer, isWhole: boolean) => Omit<Inside, 'format'>;
const readers: Partial<Record<Format, Reader>> = {
  jpeg: readJpeg,
  png: (head) => ({ width: head.readUInt32BE(16), height: head.readUInt32BE(20) }),
  webp: readWebp,
  ogg: readOggOpus,
  mp4: readMp4,
};

/** Reads what can be read. A file that is broken, or made to harm its readers, has a format and nothing else. */
export function readInside(head: Buffer, isWhole: boolean): Inside {
  const format = formatOf(head);
  try {
    return { format, ...readers[format]?.(head, isWhole) };
  } catch {
    return { format };
  }
}

function formatOf(head: Buffer): Format {
  const found = Object.entries(FORMATS).find(
    ([
      ,
      {
        begins: [at, hex],
      },
    ]) => {
      return head.subarray(at, at + hex.length / 2).toString('hex') === hex;
    },
  );
  return (found?.[0] as Format | undefined) ?? 'unknown';
}

/** Walks the markers of a JPEG to the frame, which says how large it is. */
function readJpeg(head: Buffer): Omit<Inside, 'format'> {
  for (let at = 2; at < head.length; at += 2 + head.readUInt16BE(at + 2)) {
    const marker = head.readUInt16BE(at);
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return { height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    if (marker < 0xff01) break;
  }
  return {};
}

const ANIMATION = 0x02;
const EXIF = 0x08;

function readWebp(head: Buffer): Omit<Inside, 'format'> {
  const kind = head.toString('latin1', 12, 16);
  if (kind === 'VP8X') {
    const flags = head.readUInt8(20);
    return {
      width: head.readUIntLE(24, 3) + 1,
      height: head.readUIntLE(27, 3) + 1,
      animated: (flags & ANIMATION) !== 0,
      exif: (flags & EXIF) !== 0,
      frames: chunksOf(head).filter((name) => name === 'ANMF').length,
    };
  }
  if (kind === 'VP8L') {
    const bits = head.readUInt32LE(21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, animated: false };
  }
  const size = { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
  return { ...size, animated: false };
}

/** The names of the parts of a WebP, as far as its beginning reaches. */
function chunksOf(head: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 12; at + 8 <= head.length;) {
    names.push(head.toString('latin1', at, at + 4));
    const size = head.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
  }
  return names;
}
