/**
 * The types of files that are told apart, each with the type that a message says of it. `wav_other`: a wave file whose
 * samples are packed in another way than as plain numbers.
 */
export const fileTypes = {
  jpeg: { mimeType: 'image/jpeg' },
  png: { mimeType: 'image/png' },
  gif: { mimeType: 'image/gif' },
  webp: { mimeType: 'image/webp' },
  heic: { mimeType: 'image/heic' },
  avif: { mimeType: 'image/avif' },
  tiff: { mimeType: 'image/tiff' },
  bmp: { mimeType: 'image/bmp' },
  mp4: { mimeType: 'video/mp4' },
  mov: { mimeType: 'video/quicktime' },
  '3gp': { mimeType: 'video/3gpp' },
  matroska: { mimeType: 'video/webm' },
  avi: { mimeType: 'video/x-msvideo' },
  m4a: { mimeType: 'audio/mp4' },
  mp3: { mimeType: 'audio/mpeg' },
  aac: { mimeType: 'audio/aac' },
  amr: { mimeType: 'audio/amr' },
  ogg_opus: { mimeType: 'audio/ogg; codecs=opus' },
  ogg_vorbis: { mimeType: 'audio/ogg' },
  wav: { mimeType: 'audio/wav' },
  wav_other: { mimeType: 'audio/wav' },
  flac: { mimeType: 'audio/flac' },
  pdf: { mimeType: 'application/pdf' },
  zip: { mimeType: 'application/zip' },
} as const satisfies Readonly<Record<string, { readonly mimeType: string }>>;
export type FileType = keyof typeof fileTypes;

/** The number of bytes at the head of a file by which its type is told. */
export const HEAD_BYTES = 4_096;

/** Brands of the ISO base media format, by their first letters. Sources: mp4ra.org, "Brands"; ISO/IEC 23008-12, annex B. */
const BRANDS: readonly (readonly [RegExp, FileType])[] = [
  [/^(?:hei[cxms]|hev[cxms]|mif1|msf1)/, 'heic'],
  [/^avi[fso]/, 'avif'],
  [/^qt {2}/, 'mov'],
  [/^M4[AB] /, 'm4a'],
  [/^3g[p2e]/, '3gp'],
];
/** The first bytes of types that are known by them alone. */
const STARTS: readonly (readonly [readonly number[], FileType])[] = [
  [[0xff, 0xd8, 0xff], 'jpeg'],
  [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 'png'],
  [[0x47, 0x49, 0x46, 0x38], 'gif'],
  [[0x49, 0x49, 0x2a, 0x00], 'tiff'],
  [[0x4d, 0x4d, 0x00, 0x2a], 'tiff'],
  [[0x42, 0x4d], 'bmp'],
  [[0x1a, 0x45, 0xdf, 0xa3], 'matroska'],
  [[0x66, 0x4c, 0x61, 0x43], 'flac'],
  [[0x23, 0x21, 0x41, 0x4d, 0x52], 'amr'],
  [[0x25, 0x50, 0x44, 0x46, 0x2d], 'pdf'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
  [[0x49, 0x44, 0x33], 'mp3'],
];

/** Tells the type of a file by its first bytes; undefined when it is none of those that are known. A name or a said type counts for nothing. */
export function fileTypeOf(head: Uint8Array): FileType | undefined {
  const text = (from: number, to: number): string => Buffer.from(head.subarray(from, to)).toString('latin1');
  if (text(4, 8) === 'ftyp') return brandedType(text(8, 12), text(16, 64));
  if (text(0, 4) === 'RIFF') return riffType(head, text(8, 12));
  if (text(0, 4) === 'OggS') return oggType(text(28, 36));
  const known = STARTS.find(([start]) => start.every((byte, place) => head[place] === byte));
  return known?.[1] ?? frameType(head);
}

function brandedType(major: string, others: string): FileType {
  const known = BRANDS.find(([brand]) => brand.test(major));
  if (known === undefined) return 'mp4';
  // Pictures in AV1 may begin with the brand that all pictures share, and say so behind it.
  return known[1] === 'heic' && /avi[fs]/.test(others) ? 'avif' : known[1];
}

function riffType(head: Uint8Array, form: string): FileType | undefined {
  if (form === 'WEBP') return 'webp';
  if (form === 'AVI ') return 'avi';
  if (form !== 'WAVE') return undefined;
  const place = Buffer.from(head).indexOf('fmt ', 12, 'latin1');
  const tag = place === -1 || place + 10 > head.length ? 1 : (head[place + 8] ?? 0) | ((head[place + 9] ?? 0) << 8);
  return PLAIN_TAGS.has(tag) ? 'wav' : 'wav_other';
}
/** Whole numbers, floating point, and the form that names one of both behind its head. Source: mmreg.h of Windows. */
const PLAIN_TAGS: ReadonlySet<number> = new Set([1, 3, 0xfffe]);

function oggType(packet: string): FileType | undefined {
  if (packet === 'OpusHead') return 'ogg_opus';
  return packet.startsWith('\x01vorbis') ? 'ogg_vorbis' : undefined;
}

/** Sounds that begin with a frame and no head: twelve bits of sync, then layer 3 of MPEG, or none (AAC in ADTS). */
function frameType(head: Uint8Array): FileType | undefined {
  const [first = 0, second = 0, third = 0] = head;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  if ((second & 0xf6) === 0xf0) return 'aac';
  const isLayer3 = (second & 0x06) === 0x02 && (second & 0x18) !== 0x08;
  return isLayer3 && third >> 4 !== 0xf && (third & 0x0c) !== 0x0c ? 'mp3' : undefined;
}
