import sharp, { type Metadata, type Sharp } from 'sharp';
import { statSync, writeFileSync } from 'node:fs';
import { PICTURE_BYTES, type PictureUse } from '../../../../shared/media/pictureBytes.ts';
import { ConversionError } from './conversionError.ts';

/** A picture is decoded in one process with a bound for its memory, so one thread and no cache. */
sharp.concurrency(1);
sharp.cache(false);
// What is left reads the types that are told apart by their bytes, and none that names other files.
sharp.block({
  operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf', 'VipsForeignLoadMagick', 'VipsForeignLoadOpenslide'],
});

/** The most pixels of all frames together: at four bytes, a fourth of what the process may take. */
const MOST_PIXELS = 64_000_000;
const MOST_FRAMES = 300;
/** The longest edge of a photo that phones send as one of high quality (measured by others in 2023, WhatsApp 23.16). */
const MOST_EDGE = 4_096;
/** What a photo has at most, as the Cloud API takes them ("Supported media types"). */
const PHOTO_BYTES = 5 * 1_024 * 1_024;
const THUMBNAIL = { edge: 100, bytes: 12 * 1_024 } as const;
/** The sides and sizes that phones accept: Cloud API, "Sticker messages". */
const STICKER = { edge: 512, bytes: 100_000, animatedBytes: 500_000, mostMs: 10_000 } as const;
/** The sides of a picture of an account: phones set 640 pixels, and take none below 192 (known from their use, not documented). */
const SQUARES = {
  portrait: { mostEdge: 640, leastEdge: 192 },
  card: { mostEdge: 192, leastEdge: 1 },
} as const satisfies Readonly<Record<PictureUse, object>>;
const COVER_EDGE = 252;
const QUALITIES = [85, 70, 50, 30, 10] as const;

export interface PictureMade {
  readonly width: number;
  readonly height: number;
  readonly isAnimated?: boolean;
  /** In base64. */
  readonly thumbnail?: string;
}

/** Makes a photo: upright, in sRGB, on white, without what its camera wrote down. Throws {@link ConversionError}. */
export async function makePhoto(path: string, out: string): Promise<PictureMade> {
  const { metadata } = await open(path, false);
  const upright = (): Sharp =>
    load(path, false)
      .autoOrient()
      .resize({ width: MOST_EDGE, height: MOST_EDGE, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb');
  const { data, info } = await orBroken(() => smallest(PHOTO_BYTES, (quality) => upright().jpeg({ quality })));
  writeFileSync(out, data);
  return { width: info.width, height: info.height, thumbnail: await thumbnailOf(path, metadata) };
}

/** Makes the picture of an account, a group or a contact: a square from the middle, upright, in sRGB, on white. Throws {@link ConversionError}. */
export async function makeSquare(as: PictureUse, path: string, out: string): Promise<PictureMade> {
  const { metadata } = await open(path, false);
  const { width, height } = metadata.autoOrient;
  const edge = Math.max(SQUARES[as].leastEdge, Math.min(SQUARES[as].mostEdge, width, height));
  const square = (): Sharp =>
    load(path, false)
      .autoOrient()
      .resize({ width: edge, height: edge, fit: 'cover', position: 'centre' })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb');
  const { data, info } = await orBroken(() => smallest(PICTURE_BYTES[as], (quality) => square().jpeg({ quality })));
  writeFileSync(out, data);
  return { width: info.width, height: info.height };
}

/** Says how large a picture is, and makes a small one of it. Throws {@link ConversionError}. */
export async function lookAtPicture(path: string): Promise<PictureMade> {
  const { metadata, frames } = await open(path, false);
  const { width, height } = metadata.autoOrient;
  return { width, height, isAnimated: frames > 1, thumbnail: await thumbnailOf(path, metadata) };
}

/** Makes a sticker: a square in WebP, of all frames that move, on nothing. Throws {@link ConversionError}. */
export async function makeSticker(path: string, out: string): Promise<PictureMade> {
  const { metadata, frames } = await open(path, true);
  const isAnimated = frames > 1;
  const lasts = (metadata.delay ?? []).reduce((sum, ms) => sum + ms, 0);
  if (isAnimated && lasts > STICKER.mostMs) throw new ConversionError('too_long', `${lasts} ms`);
  const { edge } = STICKER;
  const square = (quality: number): Sharp =>
    load(path, isAnimated)
      .autoOrient()
      .resize({ width: edge, height: edge, fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .webp({ quality, effort: isAnimated ? 2 : 4, loop: 0 });
  const most = isAnimated ? STICKER.animatedBytes : STICKER.bytes;
  const { data } = await orBroken(() => smallest(most, square));
  writeFileSync(out, data);
  return { width: edge, height: edge, isAnimated };
}

/** What a sticker is that needs nothing done: a WebP of the right sides and size; undefined for every other picture. Throws {@link ConversionError}. */
export async function lookAtSticker(path: string): Promise<PictureMade | undefined> {
  const { metadata, frames } = await open(path, true);
  const [height, isAnimated] = [metadata.pageHeight ?? metadata.height, frames > 1];
  const { edge, bytes, animatedBytes, mostMs } = STICKER;
  const lasts = (metadata.delay ?? []).reduce((sum, ms) => sum + ms, 0);
  const isRight =
    metadata.format === 'webp' &&
    metadata.width === edge &&
    height === edge &&
    statSync(path).size <= (isAnimated ? animatedBytes : bytes) &&
    (!isAnimated || lasts <= mostMs);
  return isRight ? { width: edge, height: edge, isAnimated } : undefined;
}

/** Makes the small picture by which a pack of stickers is chosen: PNG of 96 pixels on each side. Source: github.com/WhatsApp/stickers. */
export function makeTray(sticker: Uint8Array): Promise<Buffer> {
  return orBroken(() => sharp(sticker, { limitInputPixels: MOST_PIXELS }).resize(96, 96).png().toBuffer());
}

/** Makes the picture that stands for a pack of stickers in a chat: a JPEG of 252 pixels on each side, as clients of WhatsApp have it. */
export async function makeCover(sticker: Uint8Array): Promise<Buffer> {
  const pixels = await orBroken(() =>
    sharp(sticker, { limitInputPixels: MOST_PIXELS })
      .resize(COVER_EDGE, COVER_EDGE)
      .flatten({ background: '#ffffff' })
      .png()
      .toBuffer(),
  );
  return (await orBroken(() => smallest(THUMBNAIL.bytes, (quality) => sharp(pixels).jpeg({ quality })))).data;
}

function load(path: string, isAnimated: boolean): Sharp {
  return sharp(path, { limitInputPixels: MOST_PIXELS, failOn: 'error', animated: isAnimated, sequentialRead: true });
}

/** Reads the head of a picture and refuses what is too large to be decoded. */
async function open(
  path: string,
  isAnimated: boolean,
): Promise<{ readonly metadata: Metadata; readonly frames: number }> {
  const metadata = await orBroken(() =>
    sharp(path, { limitInputPixels: false, animated: isAnimated, failOn: 'error' }).metadata(),
  );
  const frames = metadata.pages ?? 1;
  const { width } = metadata;
  const height = metadata.pageHeight ?? metadata.height;
  if (!(width > 0 && height > 0)) throw new ConversionError('broken', 'a side of the picture has no length');
  if (width * height > MOST_PIXELS) throw new ConversionError('too_many_pixels', `${width} × ${height}`);
  if (isAnimated && (frames > MOST_FRAMES || width * height * frames > MOST_PIXELS)) {
    throw new ConversionError('too_many_frames', `${frames} of ${width} × ${height}`);
  }
  return { metadata, frames };
}

async function thumbnailOf(path: string, { width }: Metadata): Promise<string> {
  const { edge, bytes } = THUMBNAIL;
  const small = load(path, false)
    .autoOrient()
    .resize({ width: Math.min(edge, width), height: edge, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb');
  const pixels = await orBroken(() => small.png().toBuffer());
  const { data } = await orBroken(() => smallest(bytes, (quality) => sharp(pixels).jpeg({ quality })));
  return data.toString('base64');
}

/** Makes a picture of less and less quality until it is small enough. */
async function smallest(mostBytes: number, make: (quality: number) => Sharp) {
  for (const quality of QUALITIES) {
    const made = await make(quality).toBuffer({ resolveWithObject: true });
    if (made.data.length <= mostBytes) return made;
  }
  throw new ConversionError('too_large', `more than ${mostBytes} bytes at the least quality`);
}

/** What the library says of a picture is about the picture: its disk is not asked for anything. */
async function orBroken<Result>(make: () => Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof ConversionError) throw error;
    throw new ConversionError('broken', 'the picture cannot be read', { cause: error });
  }
}
