import { deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { readZip, writeZip, type ZippedFile } from '../../../../functions/media/prepare/converter/zip.ts';
import { Preparing } from './preparing.ts';

const LIMITS = { files: 100, bytes: 1_000_000, allBytes: 2_000_000 } as const;
const named = (name: string, bytes: Buffer): ZippedFile => ({ name, bytes });
const picture = (hue: number, edge = 64): Promise<Buffer> =>
  sharp({ create: { width: edge, height: edge, channels: 4, background: { r: hue, g: 9, b: 99, alpha: 1 } } })
    .png()
    .toBuffer();
const three = async (): Promise<readonly ZippedFile[]> =>
  Promise.all([1, 2, 3].map(async (hue) => named(`${hue}.png`, await picture(hue * 50))));
/** Changes one number of the first entry in the directory of an archive. */
function spoilt(archive: Buffer, field: number, value: number): Buffer {
  const copy = Buffer.from(archive);
  copy.writeUInt16LE(value, copy.indexOf('PK\x01\x02', 0, 'latin1') + field);
  return copy;
}
/** An archive of one file, packed. */
function packed(bytes: Buffer): Buffer {
  const body = deflateRawSync(bytes);
  const archive = writeZip([named('a', body)]);
  const [whole] = [writeZip([named('a', bytes)])];
  const [from, sum] = [
    archive.indexOf('PK\x01\x02', 0, 'latin1'),
    whole.readUInt32LE(whole.indexOf('PK\x01\x02', 0, 'latin1') + 16),
  ];
  archive.writeUInt16LE(8, from + 10);
  archive.writeUInt32LE(sum, from + 16);
  archive.writeUInt32LE(bytes.length, from + 24);
  return archive;
}

describe('an archive', () => {
  it('gives what was put into it, the same each time', () => {
    const files = [
      named('one.webp', Buffer.from('one')),
      named('zwei/ü.png', Buffer.alloc(70_000, 7)),
      named('none', Buffer.alloc(0)),
    ];

    expect(readZip(writeZip(files), LIMITS)).toEqual(files);
    expect(writeZip(files).equals(writeZip(files))).toBe(true);
  });

  it('is unpacked as far as its bound, whatever it says of itself', () => {
    const bomb = packed(Buffer.alloc(50_000_000));
    bomb.writeUInt32LE(5, bomb.indexOf('PK\x01\x02', 0, 'latin1') + 24);

    expect(readZip(packed(Buffer.from('hello')), LIMITS)[0]?.bytes.toString()).toBe('hello');
    expect(() => readZip(bomb, LIMITS)).toThrow(expect.objectContaining({ fault: 'too_large' }));
    const four = writeZip([1, 2, 3, 4].map((one) => named(`${one}`, Buffer.alloc(900_000))));
    expect(() => readZip(four, LIMITS)).toThrow(expect.objectContaining({ fault: 'too_large' }));
    const many = writeZip(Array.from({ length: 101 }, (_, index) => named(`${index}`, Buffer.alloc(1))));
    expect(() => readZip(many, LIMITS)).toThrow(expect.objectContaining({ fault: 'wrong_count' }));
  });

  const whole = writeZip([named('one', Buffer.from('one')), named('two', Buffer.from('two'))]);
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a head alone', whole.subarray(0, 20)],
    ['no end', whole.subarray(0, -10)],
    ['a file that is sealed', spoilt(whole, 8, 1)],
    ['a packing that is not known', spoilt(whole, 10, 12)],
    ['another sum', spoilt(whole, 16, 4_711)],
    ['more bytes than there are', spoilt(whole, 20, 60_000)],
    ['a file that lies nowhere', spoilt(whole, 42, 9)],
  ])('is broken with %s', (_what, archive) => {
    expect(() => readZip(archive, LIMITS)).toThrow(expect.objectContaining({ fault: 'broken' }));
  });
});

describe('a pack of stickers', () => {
  const preparing = new Preparing();
  afterAll(() => preparing.stop());

  it('is made of the pictures in an archive: stickers, a tray and a cover, the same each time', async () => {
    const archive = writeZip([...(await three()), named('author.txt', Buffer.from('Ada'))]);

    const prepared = await preparing.made(archive, 'sticker_pack');
    const again = await preparing.made(archive, 'sticker_pack');

    const files = readZip(prepared.file, { files: 100, bytes: 1e6, allBytes: 1e7 });
    const { pack = { id: '', stickers: [], tray: '' } } = prepared;
    expect(files.map(({ name }) => name)).toEqual([...pack.stickers.map(({ fileName }) => fileName), pack.tray]);
    expect(pack.stickers.map(({ isAnimated }) => isAnimated)).toEqual([false, false, false]);
    for (const { bytes: sticker } of files.slice(0, 3)) {
      expect(await sharp(sticker).metadata()).toMatchObject({ format: 'webp', width: 512, height: 512 });
    }
    expect(await sharp(files.at(-1)?.bytes).metadata()).toMatchObject({ format: 'png', width: 96, height: 96 });
    const cover = Buffer.from(prepared.thumbnail ?? '', 'base64');
    expect(await sharp(cover).metadata()).toMatchObject({ format: 'jpeg', width: 252, height: 252 });
    expect(prepared.mimeType).toBe('application/zip');
    expect(again).toEqual(prepared);
  });

  it('leaves a sticker that needs nothing as it is, and takes no tray of others for one', async () => {
    const made = await preparing.made(writeZip(await three()), 'sticker_pack');

    const again = await preparing.made(made.file, 'sticker_pack');

    expect(again.sha256).toBe(made.sha256);
    expect(again.pack).toEqual(made.pack);
  });

  it.each([
    ['two pictures', async () => writeZip((await three()).slice(1)), 'wrong_count'],
    [
      '31 pictures',
      async () =>
        writeZip(
          await Promise.all(Array.from({ length: 31 }, async (_, one) => named(`${one}`, await picture(one, 8)))),
        ),
      'wrong_count',
    ],
    [
      'a picture that is broken',
      async () => writeZip([...(await three()), named('x', Buffer.from('89504e470d0a1a0a', 'hex'))]),
      'broken',
    ],
    ['no archive', async () => picture(1), 'wrong_type'],
  ] as const)('is refused with %s', async (_what, archive, fault) => {
    expect(await preparing.prepare(await archive(), 'sticker_pack')).toMatchObject({ refused: fault });
  });
});
