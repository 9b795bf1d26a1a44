import { crc32, deflateSync } from 'node:zlib';
import { riff } from './sounds.ts';

/** Pictures as files, made by code: well ones, and such as nobody should send. */

export interface PngForm {
  readonly width: number;
  readonly height: number;
  /** Bits of a channel. */
  readonly bits?: number;
  /** 0 grey, 2 colours, 6 colours with what shines through. */
  readonly colour?: 0 | 2 | 6;
  /** The packed rows; black ones when left out. */
  readonly rows?: Buffer;
  /** Chunks in front of the rows. */
  readonly before?: readonly Buffer[];
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS = { 0: 1, 2: 3, 6: 4 } as const;

/** A chunk of a PNG, with its sum. */
export function pngChunk(name: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  return Buffer.concat([number32(body.length), named, number32(crc32(named))]);
}

/** A PNG, black all over where no rows are given. */
export function pngOf({ width, height, bits = 8, colour = 2, rows, before = [] }: PngForm): Buffer {
  const head = Buffer.concat([number32(width), number32(height), Buffer.from([bits, colour, 0, 0, 0])]);
  const rowBytes = Math.ceil((width * CHANNELS[colour] * bits) / 8) + 1;
  const packed = rows ?? deflateSync(Buffer.alloc(rowBytes * height), { level: 9 });
  return Buffer.concat([
    SIGNATURE,
    pngChunk('IHDR', head),
    ...before,
    pngChunk('IDAT', packed),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A GIF of frames of one pixel, on a screen of a size. @param delay of each frame, in hundredths of a second */
export function gifOf(width: number, height: number, frames: number, delay = 10): Buffer {
  const screen = Buffer.alloc(13);
  screen.write('GIF89a', 'latin1');
  screen.writeUInt16LE(width, 6);
  screen.writeUInt16LE(height, 8);
  screen.writeUInt8(0x80, 10);
  const control = Buffer.from([0x21, 0xf9, 4, 0, delay & 0xff, delay >> 8, 0, 0]);
  const pixel = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]);
  return Buffer.concat([
    screen,
    Buffer.from([255, 0, 0, 0, 0, 255]),
    Buffer.from([0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0'), 3, 1, 0, 0, 0]),
    ...Array.from({ length: frames }, (_, place) =>
      Buffer.concat([control, pixel.with(12, place % 2 === 0 ? 0x44 : 0x4c)]),
    ),
    Buffer.from([0x3b]),
  ]);
}

/** The chunk with the pixels of a WebP that another one was made of. */
export function webpPixels(webp: Buffer): Buffer {
  return Buffer.from(webp.subarray(20, 20 + webp.readUInt32LE(16)));
}

/** An animated WebP of many frames with the same pixels. */
export function webpOf(pixels: Buffer, side: number, frames: number): Buffer {
  const head = Buffer.concat([Buffer.from([2, 0, 0, 0]), number24(side - 1), number24(side - 1)]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(pixels.length);
  const frame = Buffer.concat([
    ...[0, 0, side - 1, side - 1, 10].map(number24),
    Buffer.from([0]),
    Buffer.from('VP8L'),
    size,
    pixels,
    Buffer.alloc(pixels.length % 2),
  ]);
  return riff('WEBP', [
    ['VP8X', head],
    ['ANIM', Buffer.alloc(6)],
    ...Array.from({ length: frames }, (): [string, Buffer] => ['ANMF', frame]),
  ]);
}

/** The head of a JPEG that says a size, and no pixels. */
export function jpegHead(width: number, height: number): Buffer {
  const frame = Buffer.alloc(19);
  frame.set([0xff, 0xc0, 0, 17, 8]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  frame.set([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0], 9);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    frame,
    Buffer.from([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
  ]);
}

/** A TIFF whose directory leads to itself. */
export function loopedTiff(): Buffer {
  const file = Buffer.alloc(64);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(1, 8);
  file.writeUInt16LE(0x0100, 10);
  file.writeUInt16LE(4, 12);
  file.writeUInt32LE(1, 14);
  file.writeUInt32LE(1_000, 18);
  file.writeUInt32LE(8, 22);
  return file;
}

/** An archive of one file of zeros, a thousand times larger than itself. */
export function zipBomb(megabytes: number): Buffer {
  const zeros = Buffer.alloc(megabytes * 1_000_000);
  const packed = deflateSync(zeros, { level: 9 }).subarray(2, -4);
  const head = Buffer.alloc(30);
  head.write('PK\x03\x04', 'latin1');
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(crc32(zeros), 14);
  head.writeUInt32LE(packed.length, 18);
  head.writeUInt32LE(zeros.length, 22);
  head.writeUInt16LE(1, 26);
  return Buffer.concat([head, Buffer.from('0'), packed]);
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function number24(value: number): Buffer {
  return Buffer.from([value & 0xff, (value >> 8) & 0xff, value >> 16]);
}
