import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { StickerPackFacts } from '../../../../shared/media/preparedFile.ts';
import { fileTypeOf } from '../fileTypes.ts';
import { ConversionError } from './conversionError.ts';
import { lookAtSticker, makeCover, makeSticker, makeTray } from './pictures.ts';
import { readZip, writeZip, type ZippedFile } from './zip.ts';

const MIB = 1_024 * 1_024;
/** What a pack has: as many stickers as WhatsApp's own rules for apps let it have (github.com/WhatsApp/stickers). */
export const PACK = { least: 3, most: 30, files: 100, fileBytes: 16 * MIB, allBytes: 48 * MIB } as const;
const PICTURES: ReadonlySet<string | undefined> = new Set(['jpeg', 'png', 'gif', 'webp', 'avif', 'tiff']);

export interface PackMade {
  readonly pack: StickerPackFacts;
  /** What stands for the pack in a chat: a JPEG, in base64. */
  readonly thumbnail: string;
}

/**
 * Makes a pack of the pictures in an archive: each a sticker under the name of its hash, and the first one as what stands for it in the tray. Where
 * some of them are WebP, these are the stickers, as in the archives that WhatsApp's apps for stickers take. The same archive makes the same pack. Throws {@link ConversionError}.
 */
export async function makePack(path: string, out: string): Promise<PackMade> {
  const limits = { files: PACK.files, bytes: PACK.fileBytes, allBytes: PACK.allBytes };
  const pictures = readZip(readFileSync(path), limits).filter(({ bytes }) =>
    PICTURES.has(fileTypeOf(bytes.subarray(0, 4_096))),
  );
  const packed = pictures.filter(({ bytes }) => fileTypeOf(bytes.subarray(0, 4_096)) === 'webp');
  const given = packed.length > 0 ? packed : pictures;
  if (given.length < PACK.least || given.length > PACK.most)
    throw new ConversionError('wrong_count', `${given.length} pictures`);
  const files: ZippedFile[] = [];
  const stickers: { fileName: string; isAnimated: boolean }[] = [];
  for (const { bytes } of given) {
    writeFileSync(out, bytes, { mode: 0o600 });
    const { isAnimated = false } = (await lookAtSticker(out)) ?? (await makeSticker(out, out));
    const made = readFileSync(out);
    const fileName = `${createHash('sha256').update(made).digest('base64url')}.webp`;
    if (files.some(({ name }) => name === fileName)) continue;
    files.push({ name: fileName, bytes: made });
    stickers.push({ fileName, isAnimated });
  }
  const id = createHash('sha256')
    .update(stickers.map(({ fileName }) => fileName).join())
    .digest('hex')
    .slice(0, 32);
  const [first] = files;
  if (first === undefined) throw new ConversionError('wrong_count', 'no pictures');
  const tray = `${id}.png`;
  writeFileSync(out, writeZip([...files, { name: tray, bytes: await makeTray(first.bytes) }]), { mode: 0o600 });
  return { pack: { id, stickers, tray }, thumbnail: (await makeCover(first.bytes)).toString('base64') };
}
