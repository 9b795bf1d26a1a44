import { createHash } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';
import type { FileStore } from './fileStore.ts';
import { keysOf, Opening } from './sealing.ts';
import type { FileComplaint } from './shownFile.ts';

type Pack = proto.Message.IStickerPackMessage;

/** What a phone finds wrong with a pack: names of which its archive has no file, and a cover that is not what the message says. */
export async function complaintsOfPack(
  store: FileStore,
  archive: Buffer,
  pack: Pack,
): Promise<readonly FileComplaint[]> {
  const names = namesIn(archive);
  // What is no archive is a file of noise.
  if (names === undefined) return [];
  const wanted = [...(pack.stickers ?? []).map(({ fileName }) => fileName), pack.trayIconFileName];
  const isWhole = (pack.stickers ?? []).length > 0 && wanted.every((name) => name && names.has(name));
  return [
    ...(isWhole ? [] : (['broken_pack'] as const)),
    ...((await isCovered(store, pack)) ? [] : (['broken_cover'] as const)),
  ];
}

async function isCovered(store: FileStore, pack: Pack): Promise<boolean> {
  const found = store.find(pack.thumbnailDirectPath ?? '/');
  if ('refused' in found || found.file.type !== 'thumbnail-sticker-pack') return false;
  const opening = new Opening(store.read(found.file), keysOf(pack.mediaKey ?? Buffer.alloc(32), 'sticker_pack_cover'));
  const picture = Buffer.concat(await Array.fromAsync(opening.chunks()));
  const { isAuthentic, sealedSha256 } = opening.opened;
  return (
    isAuthentic &&
    sealedSha256.equals(pack.thumbnailEncSha256 ?? Buffer.alloc(0)) &&
    createHash('sha256')
      .update(picture)
      .digest()
      .equals(pack.thumbnailSha256 ?? Buffer.alloc(0)) &&
    picture.subarray(0, 3).toString('hex') === 'ffd8ff'
  );
}

/** The names in the directory of a ZIP archive; undefined for what is none. */
function namesIn(archive: Buffer): ReadonlySet<string> | undefined {
  if (archive.subarray(0, 4).toString('latin1') !== 'PK\x03\x04') return undefined;
  const names = new Set<string>();
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end === -1) return names;
  let at = archive.readUInt32LE(end + 16);
  for (
    let left = archive.readUInt16LE(end + 10);
    left > 0 && archive.toString('latin1', at, at + 4) === 'PK\x01\x02';
    left -= 1
  ) {
    const length = archive.readUInt16LE(at + 28);
    names.add(archive.toString('utf8', at + 46, at + 46 + length));
    at += 46 + length + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return names;
}
