import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { FileType } from './fileTypes.ts';

/** The reader of ffmpeg for each type, so that it never guesses one, such as a list that names other files. */
const readers: Readonly<Partial<Record<FileType, string>>> = {
  mp4: 'mov',
  mov: 'mov',
  '3gp': 'mov',
  m4a: 'mov',
  matroska: 'matroska',
  avi: 'avi',
  gif: 'gif',
  aac: 'aac',
  amr: 'amr',
  wav_other: 'wav',
};
/** The largest piece of memory that it takes at once, in bytes. */
const MOST_PIECE = 256 * 1_024 * 1_024;
/** The longest edge of a film that is made: as phones send them by default. */
const MOST_EDGE = 1_280;
const THUMBNAIL_EDGE = 100;

/**
 * Looks where ffmpeg is; undefined where it is not installed.
 * @param path folders, as the shell has them
 */
export function findFfmpeg(path: string): string | undefined {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What every run says first: it asks nobody, reads files alone, and one core works. */
const FIRST = '-nostdin -hide_banner -loglevel error -y';
/** Seconds of a processor: it ends also when nobody is left to end it. */
const BOUNDS = `-timelimit 60 -max_alloc ${MOST_PIECE} -threads 1 -protocol_whitelist file`;

/** The arguments in a row; what may hold a space stands in a list of its own. */
const words = (...parts: readonly (string | readonly string[])[]): readonly string[] =>
  parts.flatMap((part) => (typeof part === 'string' ? part.split(' ').filter((word) => word !== '') : part));

function readingOf(path: string, type: FileType): readonly string[] {
  const reader = readers[type];
  return words(FIRST, BOUNDS, reader === undefined ? '' : `-f ${reader}`, ['-i', path]);
}

/** Arguments that make a film that phones play. */
export function filmArguments(
  path: string,
  type: FileType,
  out: string,
  how: {
    readonly isSquare: boolean;
    readonly isSilent: boolean;
    readonly mostSeconds: number;
    readonly mostBytes: number;
  },
): readonly string[] {
  const size = how.isSquare ? "crop='min(iw,ih)':'min(iw,ih)',scale=480:480" : scaledTo(MOST_EDGE);
  return words(
    readingOf(path, type),
    `-map 0:v:0 ${how.isSilent ? '-an' : '-map 0:a:0? -c:a aac -b:a 96k -ac 2'} -sn -dn -map_metadata -1`,
    // A little more than is allowed, so that what is cut off is seen to be too much.
    `-t ${how.mostSeconds + 1} -fs ${how.mostBytes + 1_048_576}`,
    ['-vf', `${size},format=yuv420p`],
    '-r 30 -c:v libx264 -preset veryfast -crf 26 -profile:v main -threads 1 -movflags +faststart -f mp4',
    [out],
  );
}

/** Arguments that decode the sound of a file to a wave file of one channel. */
export function soundArguments(
  path: string,
  type: FileType,
  out: string,
  how: { readonly rate: number; readonly mostSeconds: number },
): readonly string[] {
  return words(
    readingOf(path, type),
    `-map 0:a:0 -vn -sn -dn -map_metadata -1 -t ${how.mostSeconds + 1}`,
    `-ac 1 -ar ${how.rate} -c:a pcm_s16le -f wav`,
    [out],
  );
}

/** Arguments that make a small picture of the first one of a film. */
export function thumbnailArguments(path: string, type: FileType, out: string): readonly string[] {
  return words(
    readingOf(path, type),
    '-map 0:v:0 -frames:v 1',
    ['-vf', scaledTo(THUMBNAIL_EDGE)],
    '-pix_fmt yuvj420p -map_metadata -1 -c:v mjpeg -q:v 6 -f image2 -update 1',
    [out],
  );
}

/** Fits both sides into an edge, and makes them even, as the codecs want them. A film that is smaller stays. */
function scaledTo(edge: number): string {
  const side = `'max(2,2*trunc(min(1,${edge}/max(iw,ih))*`;
  return `scale=${side}iw/2))':${side}ih/2))'`;
}
