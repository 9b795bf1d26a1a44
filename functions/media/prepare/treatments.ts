import { readFile, stat } from 'node:fs/promises';
import type { PreparedFile } from '../../../shared/media/preparedFile.ts';
import type { SentUse } from '../../../shared/media/sentUse.ts';
import type { SoundMade } from './converter/sounds.ts';
import { fileIn, PrepareError, type Converter } from './converter.ts';
import { filmArguments, soundArguments, thumbnailArguments } from './ffmpeg.ts';
import { fileTypes, type FileType } from './fileTypes.ts';
import { filmStepOf } from './filmRules.ts';
import { prepareLimits } from './prepareLimits.ts';
import type { Treatment } from './prepareRules.ts';

/** What is known of a file that was treated. */
export type Details = Pick<
  PreparedFile,
  'width' | 'height' | 'seconds' | 'isAnimated' | 'waveform' | 'thumbnail' | 'pack'
>;

/** What came of a treatment. `made`: the path of a new file; the given one stands when it is left out. */
export interface Treated {
  readonly details: Details;
  readonly mimeType: string;
  readonly made?: string;
}

export interface TreatmentRun {
  readonly converter: Converter;
  readonly folder: string;
  readonly as: SentUse;
  readonly type: FileType;
  readonly signal: AbortSignal;
}

type Treat = (run: TreatmentRun) => Promise<Treated>;

/** Each treatment of a file that lies in the folder of a run. They throw {@link PrepareError}. */
export const treatments: Readonly<Record<Exclude<Treatment, 'as_is'>, Treat>> = {
  photo: async ({ converter, folder, signal }) => {
    const [path, made] = [fileIn(folder, 'given'), fileIn(folder, 'made')];
    const details = await converter.convert({ do: 'photo', path, out: made }, folder, signal);
    return { details, made, mimeType: 'image/jpeg' };
  },
  sticker: async ({ converter, folder, signal }) => {
    const [path, made] = [fileIn(folder, 'given'), fileIn(folder, 'made')];
    const details = await converter.convert({ do: 'sticker', path, out: made }, folder, signal);
    return { details, made, mimeType: 'image/webp' };
  },
  pack: async ({ converter, folder, signal }) => {
    const [path, made] = [fileIn(folder, 'given'), fileIn(folder, 'made')];
    const details = await converter.convert({ do: 'pack', path, out: made }, folder, signal);
    return { details, made, mimeType: fileTypes.zip.mimeType };
  },
  voice: (run) => treatSound(run, 'voice', run.type).catch((error: unknown) => withFfmpeg(run, 'voice', error)),
  voice_by_ffmpeg: (run) => withFfmpeg(run, 'voice'),
  audio: (run) => treatSound(run, 'audio', run.type).catch((error: unknown) => withFfmpeg(run, 'audio', error)),
  audio_by_ffmpeg: (run) => withFfmpeg(run, 'audio'),
  audio_passes: async (run) => {
    // Nothing that is installed here reads AMR, and phones play it.
    const details = run.type === 'amr' ? {} : await soundDetails(run);
    if ((details.seconds ?? 0) > prepareLimits.audio.seconds)
      throw new PrepareError('too_long', `${details.seconds} s`);
    return { details, mimeType: fileTypes[run.type].mimeType };
  },
  film: treatFilm,
  animation: (run) => encodeFilm(run, true),
  seen: async (run) => {
    const { folder, converter, signal } = run;
    const job = { do: 'picture', path: fileIn(folder, 'given') } as const;
    return { details: await orNothing(converter.convert(job, folder, signal)), mimeType: fileTypes[run.type].mimeType };
  },
  heard: async (run) => ({
    details: await orNothing(run.as === 'audio' || run.as === 'voice' ? soundDetails(run) : filmDetails(run)),
    mimeType: fileTypes[run.type].mimeType,
  }),
};

async function treatSound(
  { converter, folder, signal, as }: TreatmentRun,
  kind: 'voice' | 'audio',
  type: FileType,
  path = fileIn(folder, 'given'),
): Promise<Treated> {
  const out = fileIn(folder, 'made');
  const mostSeconds = prepareLimits[as].seconds;
  return toTreated(await converter.convert({ do: kind, path, out, type, mostSeconds }, folder, signal), kind, out);
}

function toTreated({ seconds, waveform, isConverted }: SoundMade, kind: 'voice' | 'audio', out: string): Treated {
  return {
    details: { seconds: wholeSeconds(seconds), ...(kind === 'voice' ? { waveform } : {}) },
    mimeType: fileTypes.ogg_opus.mimeType,
    ...(isConverted ? { made: out } : {}),
  };
}

/** Samples a second of what ffmpeg decodes for an encoding. */
const RATES = { voice: 16_000, audio: 48_000 } as const;

/** Has ffmpeg decode a sound, and goes on from there. @param error the reason why it could not be done without; any other one is thrown */
async function withFfmpeg(run: TreatmentRun, kind: 'voice' | 'audio', error?: unknown): Promise<Treated> {
  if (error !== undefined && !(error instanceof PrepareError && error.fault === 'other_codec')) throw error;
  const { converter, folder, signal, as, type } = run;
  const [path, sound] = [fileIn(folder, 'given'), fileIn(folder, 'sound')];
  const how = { rate: RATES[kind], mostSeconds: prepareLimits[as].seconds };
  await converter.ffmpeg(soundArguments(path, type, sound, how), 'no_sound', folder, signal);
  return treatSound(run, kind, 'wav', sound);
}

/** Lets a film pass, writes it anew, or encodes it anew, as its heads say. */
async function treatFilm(run: TreatmentRun): Promise<Treated> {
  const { converter, folder, signal, as, type } = run;
  // There is no library here for this old container.
  if (type === 'avi') return encodeFilm(run, false);
  const [path, made] = [fileIn(folder, 'given'), fileIn(folder, 'made')];
  const film = await converter.convert({ do: 'film', path }, folder, signal);
  const step = filmStepOf(film, type, as);
  if (step === 'encode') {
    const isSquare = film.width === film.height;
    if (as === 'video_note' && !isSquare && !converter.hasFfmpeg)
      throw new PrepareError('not_square', 'it is not square');
    return encodeFilm(run, false);
  }
  if (typeof step === 'object') throw new PrepareError(step.refused, 'its heads say so');
  const { width, height, seconds } = film;
  const details = { width: width ?? 0, height: height ?? 0, seconds: wholeSeconds(seconds) };
  if (step === 'rewrite') await converter.convert({ do: 'mp4', path, out: made }, folder, signal);
  const thumbnail = await thumbnailOf(run, path, type);
  return {
    details: { ...details, ...thumbnail },
    mimeType: fileTypes.mp4.mimeType,
    ...(step === 'rewrite' ? { made } : {}),
  };
}

/** Has ffmpeg make a film that phones play. */
async function encodeFilm(run: TreatmentRun, isSilent: boolean): Promise<Treated> {
  const { converter, folder, signal, as, type } = run;
  const [path, made] = [fileIn(folder, 'given'), fileIn(folder, 'made')];
  const { seconds: mostSeconds, bytes: mostBytes } = prepareLimits[as];
  const how = { isSquare: as === 'video_note', isSilent, mostSeconds, mostBytes };
  await converter.ffmpeg(filmArguments(path, type, made, how), 'no_picture', folder, signal);
  if ((await stat(made)).size > mostBytes) throw new PrepareError('too_large', 'as H.264 it is larger than it may be');
  const { width = 0, height = 0, seconds } = await converter.convert({ do: 'film', path: made }, folder, signal);
  if (seconds > mostSeconds) throw new PrepareError('too_long', `longer than ${mostSeconds} s`);
  const thumbnail = await thumbnailOf(run, made, 'mp4');
  return {
    details: { width, height, seconds: wholeSeconds(seconds), ...thumbnail },
    made,
    mimeType: fileTypes.mp4.mimeType,
  };
}

const MOST_THUMBNAIL_BYTES = 12 * 1_024;

/** A small picture of the first one of a film, where there is ffmpeg. A film without one is sent, too. */
async function thumbnailOf(run: TreatmentRun, path: string, type: FileType): Promise<Details> {
  const { converter, folder, signal } = run;
  if (!converter.hasFfmpeg) return {};
  const out = fileIn(folder, 'thumbnail');
  return orNothing(
    converter.ffmpeg(thumbnailArguments(path, type, out), 'no_picture', folder, signal).then(async () => {
      const bytes = await readFile(out).catch(() => Buffer.alloc(0));
      const isUsable = bytes.length > 0 && bytes.length <= MOST_THUMBNAIL_BYTES;
      return isUsable ? { thumbnail: bytes.toString('base64') } : {};
    }),
  );
}

async function soundDetails({ converter, folder, signal }: TreatmentRun): Promise<Details> {
  const film = await converter.convert({ do: 'film', path: fileIn(folder, 'given') }, folder, signal);
  if (film.audio === undefined) throw new PrepareError('no_sound', 'there is no track of sound');
  return { seconds: wholeSeconds(film.seconds) };
}

async function filmDetails(run: TreatmentRun): Promise<Details> {
  const { converter, folder, signal, type } = run;
  const path = fileIn(folder, 'given');
  const { width, height, seconds } = await converter.convert({ do: 'film', path }, folder, signal);
  const sides = width === undefined || height === undefined ? {} : { width, height };
  const thumbnail = width === undefined ? {} : await thumbnailOf(run, path, type);
  return { ...sides, seconds: wholeSeconds(seconds), ...thumbnail };
}

/** What was found, or nothing where the file cannot be read: one that is sent as it is goes without. */
async function orNothing(found: Promise<Details>): Promise<Details> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof PrepareError) return {};
    throw error;
  }
}

/** Phones show a recording of half a second as one of one. */
function wholeSeconds(seconds: number): number {
  return Math.max(1, Math.round(seconds));
}
