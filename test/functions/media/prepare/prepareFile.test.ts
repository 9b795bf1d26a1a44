import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { fileTypeOf } from '../../../../functions/media/prepare/fileTypes.ts';
import { prepareLimits } from '../../../../functions/media/prepare/prepareLimits.ts';
import { prepareFile } from '../../../../functions/media/prepare/prepareFile.ts';
import { prepareFaults } from '../../../../shared/media/prepareFaults.ts';
import { sentUses } from '../../../../shared/media/sentUse.ts';
import { until } from '../../../whatsapp/until.ts';
import { Preparing, TENANT } from './preparing.ts';

const preparing = new Preparing();
afterAll(() => preparing.stop());

/** A photo of many colours, with what a camera writes down. */
const photo = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, noise: { type: 'gaussian', mean: 120, sigma: 40 }, background: '#444' },
  });

describe('photos', () => {
  it('become JPEG upright, without the place and the camera, and with a small picture', async () => {
    const given = await photo(300, 200)
      .withExif({ IFD0: { Make: 'SecretCamera' }, IFD3: { GPSLatitudeRef: 'N' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();

    const made = await preparing.made(given, 'image', { mimeType: 'image/png' });

    expect(given.includes('SecretCamera')).toBe(true);
    expect(made.file.includes('SecretCamera')).toBe(false);
    expect(made).toMatchObject({ mimeType: 'image/jpeg', width: 200, height: 300, isConverted: true });
    const found = await sharp(made.file).metadata();
    expect(found).toMatchObject({ format: 'jpeg', width: 200, height: 300 });
    expect([found.exif, found.xmp, found.icc]).toEqual([undefined, undefined, undefined]);
    const small = Buffer.from(made.thumbnail ?? '', 'base64');
    expect(small.length).toBeLessThanOrEqual(12 * 1_024);
    expect(await sharp(small).metadata()).toMatchObject({ format: 'jpeg', width: 67, height: 100 });
  });

  it('stand on white where nothing was', async () => {
    const given = await sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();

    const { file } = await preparing.made(given, 'image');

    expect([...(await sharp(file).raw().toBuffer())].every((value) => value > 250)).toBe(true);
  });

  it('have no edge of more than 4,096 pixels, and are not made larger', async () => {
    const wide = await preparing.made(await photo(5_000, 100).jpeg().toBuffer(), 'image');
    const small = await preparing.made(await photo(20, 10).png().toBuffer(), 'image');

    expect([wide.width, wide.height]).toEqual([4_096, 82]);
    expect([small.width, small.height]).toEqual([20, 10]);
  });

  it('stay as they are where the caller says so, and are looked at', async () => {
    const given = await photo(30, 20).png().toBuffer();

    const made = await preparing.made(given, 'image', { convert: false });

    expect(made).toMatchObject({ mimeType: 'image/png', width: 30, height: 20, isConverted: false, file: given });
    expect(made.sha256).toBe(createHash('sha256').update(given).digest('base64'));
    expect(made.thumbnail).toBeDefined();
  });

  it('make the same file twice, under the same key of the tenant', async () => {
    const given = await photo(40, 40).png().toBuffer();

    const [first, second] = [await preparing.made(given, 'image'), await preparing.made(given, 'image')];

    expect(first.objectKey).toBe(second.objectKey);
    expect(first.objectKey).toBe(`prepared/${TENANT}/${createHash('sha256').update(first.file).digest('hex')}`);
    expect(first).toMatchObject({ bytes: first.file.length });
    expect(preparing.left()).toEqual([]);
  });
});

describe('stickers', () => {
  it('become a square of 512 in WebP, on nothing, and small enough for phones', async () => {
    const made = await preparing.made(await photo(900, 300).png().toBuffer(), 'sticker');

    const found = await sharp(made.file).metadata();
    expect(found).toMatchObject({ format: 'webp', width: 512, height: 512, hasAlpha: true });
    expect(made).toMatchObject({ mimeType: 'image/webp', width: 512, height: 512, isAnimated: false });
    expect(made.bytes).toBeLessThanOrEqual(100_000);
  });

  it('move when what they are made of does', async () => {
    const frames = await Promise.all(
      ['#f00', '#0f0', '#00f'].map((background) =>
        sharp({ create: { width: 60, height: 40, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const given = await sharp(frames, { join: { animated: true } })
      .gif({ delay: [100, 100, 100] })
      .toBuffer();

    const made = await preparing.made(given, 'sticker');

    expect(made.isAnimated).toBe(true);
    expect(await sharp(made.file).metadata()).toMatchObject({ format: 'webp', width: 512, pages: 3 });
    expect(made.bytes).toBeLessThanOrEqual(500_000);
  });
});

describe('documents', () => {
  it('stay as they are, whatever they hold, and lie on no disk', async () => {
    const given = Buffer.from('name;price\nlamp;7\n');

    const made = await preparing.made(given, 'document', { mimeType: 'text/csv' });

    expect(made).toMatchObject({ mimeType: 'text/csv', bytes: given.length, isConverted: false, file: given });
    expect(made.sha256).toBe(createHash('sha256').update(given).digest('base64'));
  });

  it('have the type of their bytes where the tenant says none, and none otherwise', async () => {
    const said = [Buffer.from('%PDF-1.7\n'), Buffer.from('hello')].map(async (bytes) => {
      return (await preparing.made(bytes, 'document')).mimeType;
    });

    expect(await Promise.all(said)).toEqual(['application/pdf', 'application/octet-stream']);
  });
});

describe('what is refused', () => {
  it.each(sentUses)('is a %s that is too large, before a byte of it is read', async (as) => {
    const objects = {
      head: () => Promise.resolve({ bytes: prepareLimits[as].bytes + 1, storedAtMs: 0 }),
      read: () => Promise.reject(new Error('nothing is read')),
      write: () => Promise.reject(new Error('nothing is written')),
    };
    const request = { tenantId: TENANT, objectKey: 'x', as, convert: false };

    const outcome = await prepareFile(
      { objects, converter: preparing.converter },
      request,
      new AbortController().signal,
    );

    expect(outcome).toMatchObject({ refused: 'too_large' });
  });

  it.each(sentUses)('is a %s without a byte, or that is gone', async (as) => {
    const gone = { tenantId: TENANT, objectKey: 'nobody/1', as, convert: true };

    expect(await preparing.prepare(Buffer.alloc(0), as)).toMatchObject({ refused: 'empty' });
    expect(await prepareFile(preparing, gone, new AbortController().signal)).toMatchObject({ refused: 'gone' });
  });

  it('is named with a sentence that says what to do', () => {
    for (const { sentence } of Object.values(prepareFaults)) expect(sentence).toMatch(/^[A-Z].{15,}\.$/);
  });
});

describe('what passes', () => {
  it('is thrown, and nothing is left: a store that fails in the middle', async () => {
    const objects = {
      head: () => Promise.resolve({ bytes: 10, storedAtMs: 0 }),
      read: (key: string, range?: { readonly from: number }) =>
        range === undefined ? Promise.reject(new Error('the store is away')) : preparing.objects.read(key),
      write: () => Promise.reject(new Error('nothing is written')),
    };
    await preparing.prepare(await photo(10, 10).png().toBuffer(), 'image');
    const objectKey = [...preparing.objects.kept.keys()].find((key) => !key.includes('prepared')) ?? '';
    const request = { tenantId: TENANT, objectKey, as: 'image', convert: true } as const;

    const outcome = prepareFile({ objects, converter: preparing.converter }, request, new AbortController().signal);

    await expect(outcome).rejects.toThrow('the store is away');
    expect(preparing.left()).toEqual([]);
  });

  it('is thrown where the converter is not installed: the file is not at fault', async () => {
    const without = new Preparing({ program: '/nowhere/converter.mjs' });

    await expect(without.prepare(await photo(10, 10).png().toBuffer(), 'image')).rejects.toThrow('not installed');
    expect(without.left()).toEqual([]);
    without.stop();
  });

  it('is thrown, and nothing is left, nor is a process: a caller that gives up', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-endless-'));
    const [program, told] = [join(folder, 'converter.mjs'), join(folder, 'pid')];
    writeFileSync(
      program,
      `import { writeFileSync, renameSync } from 'node:fs';
      writeFileSync('${told}.new', String(process.pid));
      renameSync('${told}.new', '${told}');
      for (;;);`,
    );
    const endless = new Preparing({ program });
    const giving = new AbortController();

    const outcome = endless.prepare(await photo(10, 10).png().toBuffer(), 'image', {}, giving.signal);
    await Promise.all([
      expect(outcome).rejects.toThrow('given up'),
      until(
        'the converter',
        () => existsSync(told),
        (isThere) => isThere,
      ).finally(() => giving.abort(new Error('given up'))),
    ]);

    expect(endless.left()).toEqual([]);
    expect(() => process.kill(Number(readFileSync(told, 'utf8')), 0)).toThrow('ESRCH');
    endless.stop();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('types', () => {
  const bytes = (...given: readonly (string | number)[]): Buffer =>
    Buffer.concat(given.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))));

  it.each<[string, Buffer, string | undefined]>([
    ['JPEG', bytes(0xff, 0xd8, 0xff, 0xe0), 'jpeg'],
    ['PNG', bytes(0x89, 'PNG\r\n', 0x1a, '\n'), 'png'],
    ['GIF', bytes('GIF89a'), 'gif'],
    ['WebP', bytes('RIFF', 1, 0, 0, 0, 'WEBP'), 'webp'],
    ['a photo of an iPhone', bytes(0, 0, 0, 0x18, 'ftypheic', 0, 0, 0, 0, 'mif1heic'), 'heic'],
    ['a photo in AV1', bytes(0, 0, 0, 0x18, 'ftypmif1', 0, 0, 0, 0, 'avifmif1'), 'avif'],
    ['MP4', bytes(0, 0, 0, 0x18, 'ftypisom', 0, 0, 2, 0, 'isomavc1'), 'mp4'],
    ['QuickTime', bytes(0, 0, 0, 0x14, 'ftypqt  '), 'mov'],
    ['3GP', bytes(0, 0, 0, 0x14, 'ftyp3gp4'), '3gp'],
    ['M4A', bytes(0, 0, 0, 0x14, 'ftypM4A '), 'm4a'],
    ['WebM', bytes(0x1a, 0x45, 0xdf, 0xa3), 'matroska'],
    ['AVI', bytes('RIFF', 1, 0, 0, 0, 'AVI '), 'avi'],
    ['Opus', bytes('OggS', ...Array<number>(24).fill(0), 'OpusHead'), 'ogg_opus'],
    ['Vorbis', bytes('OggS', ...Array<number>(24).fill(0), 1, 'vorbis'), 'ogg_vorbis'],
    ['Ogg with something else', bytes('OggS', ...Array<number>(24).fill(0), 'fishead'), undefined],
    ['wave', bytes('RIFF', 1, 0, 0, 0, 'WAVEfmt ', 16, 0, 0, 0, 1, 0), 'wav'],
    ['wave that is packed', bytes('RIFF', 1, 0, 0, 0, 'WAVEfmt ', 16, 0, 0, 0, 6, 0), 'wav_other'],
    ['FLAC', bytes('fLaC'), 'flac'],
    ['AMR', bytes('#!AMR\n'), 'amr'],
    ['MP3 with a head', bytes('ID3', 4), 'mp3'],
    ['MP3 without one', bytes(0xff, 0xfb, 0x90, 0), 'mp3'],
    ['AAC', bytes(0xff, 0xf1, 0x50, 0x80), 'aac'],
    ['PDF', bytes('%PDF-1.4'), 'pdf'],
    ['a page', bytes('<!doctype html>'), undefined],
    ['SVG', bytes('<svg xmlns="http://www.w3.org/2000/svg">'), undefined],
    ['a program', bytes(0x7f, 'ELF'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('are told by the bytes: %s', (_name, head, type) => {
    expect(fileTypeOf(head)).toBe(type);
  });
});
