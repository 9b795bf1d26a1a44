import type { SentUse } from '../../../shared/media/sentUse.ts';
import type { FileType } from './fileTypes.ts';

/**
 * What is done with a file. `as_is`: nothing, and nothing is looked at but its bytes. `photo`, `sticker`, `pack`, `voice`: it is made anew. `film`, `audio`: it
 * passes if phones play it, and is made anew otherwise. `animation`: it becomes a film. `seen`, `heard`: nothing, and
 * what can be read of it is said.
 */
export type Treatment =
  | 'as_is'
  | 'photo'
  | 'sticker'
  | 'pack'
  | 'film'
  | 'animation'
  | 'voice'
  | 'voice_by_ffmpeg'
  | 'audio'
  | 'audio_passes'
  | 'audio_by_ffmpeg'
  | 'seen'
  | 'heard';

const all = (treatment: Treatment, ...types: readonly FileType[]): Readonly<Partial<Record<FileType, Treatment>>> =>
  Object.fromEntries(types.map((type) => [type, treatment]));

const pictures = ['jpeg', 'png', 'gif', 'webp', 'avif', 'tiff'] as const;
const films = ['mp4', 'mov', '3gp', 'matroska', 'avi'] as const;
/** Sounds that phones play as files. Source: Cloud API, "Supported media types". */
const played = ['mp3', 'm4a', 'aac', 'amr', 'ogg_opus'] as const;
const packedSounds = ['m4a', 'aac', 'amr', 'mp4', 'mov', '3gp', 'wav_other'] as const;
/** Sounds that are decoded without a program of its own. */
const plainSounds = ['wav', 'mp3', 'flac', 'ogg_vorbis'] as const;

/** What is done with a file of a type that is sent as something; what is not here is refused. */
const rules: Readonly<Record<Exclude<SentUse, 'document'>, Readonly<Partial<Record<FileType, Treatment>>>>> = {
  image: all('photo', ...pictures),
  sticker: all('sticker', ...pictures),
  sticker_pack: all('pack', 'zip'),
  video: all('film', ...films),
  gif: { ...all('film', ...films), gif: 'animation' },
  video_note: all('film', ...films),
  voice: {
    ...all('voice', ...plainSounds, 'ogg_opus', 'matroska'),
    ...all('voice_by_ffmpeg', ...packedSounds),
  },
  audio: {
    ...all('audio_passes', ...played),
    ...all('audio', 'wav', 'flac', 'ogg_vorbis'),
    ...all('audio_by_ffmpeg', 'wav_other', 'mp4', 'mov', '3gp', 'matroska'),
  },
};

/** How a file is looked at that is sent as it is. */
const looks: Readonly<Partial<Record<FileType, Treatment>>> = {
  ...all('seen', ...pictures),
  ...all('heard', 'mp4', 'mov', '3gp', 'matroska', 'm4a', 'mp3', 'aac', 'ogg_opus', 'ogg_vorbis', 'wav', 'flac'),
};

/** What is done with a file; undefined when it cannot be sent as that. */
export function treatmentOf(as: SentUse, type: FileType | undefined, convert: boolean): Treatment | undefined {
  if (as === 'document') return 'as_is';
  // The message of a pack names each sticker in it, so a pack is always looked into.
  if (!convert && as !== 'sticker_pack') return (type === undefined ? undefined : looks[type]) ?? 'as_is';
  return type === undefined ? undefined : rules[as][type];
}
