import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { writeOggOpus } from '../../../../functions/media/prepare/converter/ogg.ts';
import type { PrepareFault } from '../../../../shared/media/prepareFaults.ts';
import type { SentUse } from '../../../../shared/media/sentUse.ts';
import { samples } from '../../../whatsapp/media/sampleFiles.ts';
import { gifOf, jpegHead, loopedTiff, number32, pngChunk, pngOf, webpOf, webpPixels, zipBomb } from './madePictures.ts';
import { riff, swelling, waveOf } from './sounds.ts';

/** What becomes of a file: it is made anew, or passes as it is, or is refused for a reason. */
export type Expected = 'converted' | 'passes' | PrepareFault;

/** One file that somebody sends as something. */
export type HostileFile = readonly [name: string, as: SentUse, bytes: Buffer, expected: Expected];

const sample = (name: keyof typeof samples): Buffer => Buffer.from(samples[name], 'base64');
const text = (content: string): Buffer => Buffer.from(content, 'latin1');
const cut = (bytes: Buffer, share: number): Buffer => bytes.subarray(0, Math.floor(bytes.length * share));
const changed = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
};
/** Numbers that look like chance, and are the same in each run. */
const noise = (length: number): Buffer => {
  let state = 4_711;
  return Buffer.from(
    Array.from({ length }, () => ((state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) >> 16) & 0xff),
  );
};

/** A picture of 64 × 64 in HEVC, as iPhones write theirs, and the same in AV1: made by libheif with x265, and with AOM. */
const heic = Buffer.from(
  'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAAARgAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHBcrAiQAAAABRpc3BlAAAAAAAAAEAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAABObWRhdAAAAEIoAa8ZgPeAQ/3rxK4uaaWJ7Og3CRrr0ZpE/bq9QcEIFSHVwNhN0GS3Fyx7kyYnQW5y+9FVGKRAbRYiRRwHkZrw9DA=',
  'base64',
);
const avif = Buffer.from(
  'AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAEOAAEAAAAAAAAARQAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGF2MDEAAAAAamlwcnAAAABLaXBjbwAAABNjb2xybmNseAACAAIABoAAAAAMYXYxQ4EADAAAAAAUaXNwZQAAAAAAAABAAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgYIDhAAAAE1tZGF0EgAKCRgVf/2CBAQNCDI2GwAaaaaEAL9kCwR9/MGxdYaWLOTViDG1XaLzpsSH+XQAmQYJ/OinEZ+CzrrkpoUKToITxdyg',
  'base64',
);

/** A file of the ISO base media format under another brand, its others included. */
function named(file: Buffer, brand: string): Buffer {
  const other = Buffer.from(file);
  other.write(brand, 8, 'latin1');
  other.fill(brand, 16, other.readUInt32BE(0), 'latin1');
  return other;
}

async function pictures(): Promise<readonly HostileFile[]> {
  const raw = { width: 64, height: 48, channels: 3 } as const;
  const jpeg = await sharp(noise(64 * 48 * 3), { raw })
    .jpeg()
    .toBuffer();
  const png = await sharp(noise(64 * 48 * 3), { raw })
    .png()
    .toBuffer();
  const pixel = webpPixels(
    await sharp({ create: { width: 4, height: 4, channels: 3, background: '#f00' } })
      .webp({ lossless: true })
      .toBuffer(),
  );
  const bombText = pngChunk(
    'zTXt',
    Buffer.concat([text('Comment\0\0'), deflateSync(Buffer.alloc(50_000_000), { level: 9 })]),
  );
  return [
    ['a JPEG that breaks off in the middle', 'image', cut(jpeg, 0.5), 'broken'],
    ['the first bytes of a JPEG', 'image', cut(jpeg, 0.01), 'broken'],
    ['a JPEG of noise behind its head', 'image', Buffer.concat([cut(jpeg, 0.2), noise(5_000)]), 'converted'],
    ['a JPEG that says it has 65,500 × 65,500 pixels', 'image', jpegHead(65_500, 65_500), 'too_many_pixels'],
    ['a JPEG with an archive behind it', 'image', Buffer.concat([jpeg, zipBomb(1)]), 'converted'],
    ['a PNG that breaks off', 'image', cut(png, 0.7), 'broken'],
    ['a PNG with one byte that differs', 'image', changed(png, Math.floor(png.length / 2), 7), 'broken'],
    ['a PNG with five megabytes behind it', 'image', Buffer.concat([png, Buffer.alloc(5_000_000)]), 'converted'],
    ['a PNG without width', 'image', pngOf({ width: 0, height: 10 }), 'broken'],
    [
      'a PNG that says it has 100,000 × 100,000 pixels',
      'image',
      pngOf({ width: 100_000, height: 100_000, rows: deflateSync(text('x')) }),
      'too_many_pixels',
    ],
    [
      'a PNG of 400 million pixels in 50 kB',
      'image',
      pngOf({ width: 20_000, height: 20_000, bits: 1, colour: 0 }),
      'too_many_pixels',
    ],
    [
      'a PNG of 60 million pixels in 60 kB',
      'image',
      pngOf({ width: 7_700, height: 7_800, bits: 8, colour: 0 }),
      'converted',
    ],
    ['a PNG with 50 MB of text in 50 kB', 'image', pngOf({ width: 8, height: 8, before: [bombText] }), 'converted'],
    [
      'a PNG whose rows unpack to more than they are',
      'image',
      pngOf({ width: 8, height: 8, rows: deflateSync(Buffer.alloc(100_000_000), { level: 9 }) }),
      'converted',
    ],
    ['a GIF of 0 × 0', 'image', gifOf(0, 0, 1), 'converted'],
    ['a GIF of one pixel on a screen of 65,535 × 65,535', 'image', gifOf(65_535, 65_535, 1), 'converted'],
    ['a GIF that is a script as well', 'image', text('GIF89a/*\0\0\0\0\0*/=1;alert(1)//'), 'broken'],
    ['a GIF of 10,000 pictures', 'image', gifOf(1, 1, 10_000), 'converted'],
    ['a GIF of 10,000 pictures, as a sticker', 'sticker', gifOf(1, 1, 10_000), 'too_many_frames'],
    ['a GIF of half a minute, as a sticker', 'sticker', gifOf(2, 2, 30, 100), 'too_long'],
    [
      'a GIF of 20 pictures of a pixel on a large screen, as a sticker',
      'sticker',
      gifOf(4_000, 4_000, 20),
      'converted',
    ],
    ['a GIF that is to move', 'gif', gifOf(16, 16, 3), 'needs_ffmpeg'],
    ['a WebP of 10,000 pictures, as a sticker', 'sticker', webpOf(pixel, 4, 10_000), 'too_many_frames'],
    ['a WebP of 10,000 pictures', 'image', webpOf(pixel, 4, 10_000), 'converted'],
    ['a WebP of three pictures', 'sticker', sample('animatedWebp'), 'converted'],
    ['a WebP that is shorter than it says', 'sticker', cut(sample('animatedWebp'), 0.6), 'broken'],
    ['a WebP of nothing', 'sticker', riff('WEBP', [['VP8L', Buffer.alloc(0)]]), 'broken'],
    ['a sticker of 1 × 5,000', 'sticker', pngOf({ width: 1, height: 5_000 }), 'converted'],
    [
      'the head of an AVIF',
      'image',
      Buffer.concat([text('\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf'), noise(500)]),
      'broken',
    ],
    [
      'the head of a HEIC',
      'image',
      Buffer.concat([text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), noise(500)]),
      'wrong_type',
    ],
    ['a photo of an iPhone', 'image', heic, 'wrong_type'],
    ['a photo of an iPhone, as a sticker', 'sticker', heic, 'wrong_type'],
    ['a photo of an iPhone, as a document', 'document', heic, 'passes'],
    ['a photo of an iPhone that says it is an AVIF', 'image', named(heic, 'avif'), 'broken'],
    ['a photo in AV1', 'image', avif, 'converted'],
    ['a photo in AV1 that says it is a HEIC', 'image', named(avif, 'heic'), 'wrong_type'],
    ['a TIFF that leads to itself', 'image', loopedTiff(), 'broken'],
    ['a BMP', 'image', Buffer.concat([text('BM'), noise(500)]), 'wrong_type'],
    ['a JPEG that stays as it is though it is broken', 'document', cut(jpeg, 0.5), 'passes'],
  ];
}

function others(): readonly HostileFile[] {
  const svg = text(
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
  );
  return [
    ['nothing', 'image', Buffer.alloc(0), 'empty'],
    ['nothing, as a document', 'document', Buffer.alloc(0), 'empty'],
    ['noise', 'image', changed(noise(5_000), 0, 1), 'wrong_type'],
    ['an SVG that asks for a file', 'image', svg, 'wrong_type'],
    ['an SVG that asks for a file, as a document', 'document', svg, 'passes'],
    ['a page', 'image', text('<!doctype html><script>alert(1)</script>'), 'wrong_type'],
    ['an archive of 100 MB in 100 kB', 'image', zipBomb(100), 'wrong_type'],
    ['an archive of 100 MB in 100 kB, as a document', 'document', zipBomb(100), 'passes'],
    ['a PDF', 'sticker', text('%PDF-1.7\n1 0 obj\n'), 'wrong_type'],
    ['a program', 'video', text('\x7fELF\x02\x01\x01'), 'wrong_type'],
    ['a list of films that names a file', 'video', text('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n'), 'wrong_type'],
    ['a list for ffmpeg that names a file', 'voice', text("ffconcat version 1.0\nfile '/etc/passwd'\n"), 'wrong_type'],
  ];
}

const box = (name: string, ...bodies: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(bodies);
  return Buffer.concat([number32(body.length + 8), text(name), body]);
};
const FTYP = box('ftyp', text('isom\0\0\x02\0isomavc1'));

function films(): readonly HostileFile[] {
  const early = sample('earlyIndexMp4');
  const sizes = early.indexOf('stsz');
  const nested = Array.from({ length: 2_000 }).reduce<Buffer>((inner) => box('trak', inner), box('trak'));
  return [
    ['an MP4 whose index comes last', 'video', sample('lateIndexMp4'), 'converted'],
    ['an MP4 whose index comes first', 'video', early, 'passes'],
    ['an MP4 as a picture', 'image', early, 'wrong_type'],
    ['an MP4 that breaks off in its index', 'video', cut(early, 0.6), 'broken'],
    ['an MP4 that breaks off in what its index leads to', 'video', cut(sample('lateIndexMp4'), 0.05), 'broken'],
    ['an MP4 of a head alone', 'video', FTYP, 'broken'],
    [
      'an MP4 with a box of four gigabytes',
      'video',
      Buffer.concat([FTYP, number32(0xffffffff), text('moov'), noise(100)]),
      'broken',
    ],
    [
      'an MP4 with a box that is smaller than its head',
      'video',
      Buffer.concat([FTYP, number32(3), text('moov'), noise(100)]),
      'broken',
    ],
    ['an MP4 with boxes in boxes, two thousand deep', 'video', Buffer.concat([FTYP, box('moov', nested)]), 'broken'],
    [
      'an MP4 that says it has four billion pictures',
      'video',
      Buffer.concat([early.subarray(0, sizes + 12), number32(0xffffffff), early.subarray(sizes + 16)]),
      'broken',
    ],
    ['a video note that is not square', 'video_note', early, 'not_square'],
    ['an MP4 as a voice note', 'voice', early, 'needs_ffmpeg'],
    [
      'a Matroska file of noise',
      'video',
      Buffer.concat([Buffer.from([0x1a, 0x45, 0xdf, 0xa3]), noise(2_000)]),
      'broken',
    ],
    ['an AVI of noise', 'video', riff('AVI ', [['LIST', noise(500)]]), 'needs_ffmpeg'],
  ];
}

function sounds(): readonly HostileFile[] {
  const wave = waveOf(1, swelling(1));
  const data = wave.indexOf('data');
  const said = (size: number): Buffer => {
    const copy = Buffer.from(wave);
    copy.writeUInt32LE(size, data + 4);
    return copy;
  };
  const floats = riff('WAVE', [
    ['fmt ', Buffer.from([3, 0, 1, 0, 0x40, 0x1f, 0, 0, 0, 0x7d, 0, 0, 4, 0, 32, 0])],
    ['data', Buffer.alloc(32_000, 0xff)],
  ]);
  const voice = sample('voice20Ms');
  const silent = Array.from({ length: 400_000 }, () => Buffer.from([0x48]));
  const pages = voice.subarray(voice.indexOf('OggS', 100));
  return [
    ['a wave file', 'voice', wave, 'converted'],
    ['a wave file as a picture', 'image', wave, 'wrong_type'],
    ['a wave file that says it has four gigabytes', 'voice', said(0xffffffff), 'converted'],
    ['a wave file that says it has nothing', 'voice', said(0), 'converted'],
    ['a wave file without channels', 'voice', changed(wave, 22, 0), 'broken'],
    [
      'a wave file without a rate',
      'voice',
      riff('WAVE', [
        ['fmt ', Buffer.from([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 16, 0])],
        ['data', Buffer.alloc(1_000)],
      ]),
      'broken',
    ],
    ['a wave file without samples', 'voice', wave.subarray(0, data), 'broken'],
    ['a wave file of what is no number', 'voice', floats, 'converted'],
    ['a wave file of more than half an hour', 'voice', waveOf(1_900, () => 0, { rate: 1_000 }), 'too_long'],
    ['a voice note as phones record it', 'voice', sample('voice60Ms'), 'passes'],
    ['a voice note with a frame in each packet', 'voice', voice, 'converted'],
    ['a voice note whose sums are wrong', 'voice', changed(voice, 22, 0), 'broken'],
    ['a voice note without a packet', 'voice', cut(voice, 0.2), 'broken'],
    [
      'a voice note whose pages come again three hundred times',
      'voice',
      Buffer.concat([voice, ...Array.from({ length: 300 }, () => pages)]),
      'converted',
    ],
    [
      'two hours of packets of a byte',
      'voice',
      writeOggOpus({ sampleRate: 16_000, preSkip: 312, packetMs: 20, heard: 345_600_000, packets: silent }),
      'too_long',
    ],
    [
      'packets that are malformed',
      'voice',
      writeOggOpus({
        sampleRate: 16_000,
        preSkip: 312,
        packetMs: 20,
        heard: 4_800,
        packets: [Buffer.from([0x4b]), Buffer.from([0x4b, 63]), noise(50)],
      }),
      'broken',
    ],
    [
      'an MP3 with a head of 256 MB',
      'voice',
      Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f, 1, 2, 3]),
      'broken',
    ],
    [
      'an MP3 of beginnings of frames',
      'voice',
      Buffer.from(Array.from({ length: 20_000 }, (_, place) => [0xff, 0xfb, 0x90, 0][place % 4] ?? 0)),
      'converted',
    ],
    ['a FLAC of noise', 'voice', Buffer.concat([text('fLaC'), noise(5_000)]), 'broken'],
    [
      'a Vorbis of noise',
      'voice',
      Buffer.concat([text('OggS'), Buffer.alloc(22), Buffer.from([1, 30]), text('\x01vorbis'), noise(5_000)]),
      'broken',
    ],
    ['an AMR that is to be a voice note', 'voice', Buffer.concat([text('#!AMR\n'), noise(500)]), 'needs_ffmpeg'],
    ['an AMR as a sound', 'audio', Buffer.concat([text('#!AMR\n'), noise(500)]), 'passes'],
    ['an AAC of noise', 'audio', Buffer.concat([Buffer.from([0xff, 0xf1]), noise(5_000)]), 'broken'],
  ];
}

/** Files that are broken, or lie about themselves, or are bombs, with what is to become of each where there is no ffmpeg. */
export async function hostileFiles(): Promise<readonly HostileFile[]> {
  return [...(await pictures()), ...others(), ...films(), ...sounds()];
}
