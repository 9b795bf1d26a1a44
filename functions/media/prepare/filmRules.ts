import type { PrepareFault } from '../../../shared/media/prepareFaults.ts';
import type { SentUse } from '../../../shared/media/sentUse.ts';
import type { Film } from './converter/films.ts';
import type { FileType } from './fileTypes.ts';
import { prepareLimits } from './prepareLimits.ts';

/** What is done with a film. `rewrite`: its pictures and sounds stay as they are, and the file around them is made anew. */
export type FilmStep = 'pass' | 'rewrite' | 'encode' | { readonly refused: PrepareFault };

/** What phones play in an MP4. Source: Cloud API, "Supported media types". */
const VIDEO = 'avc';
const AUDIO = 'aac';

/** Decides by the heads of a film, which nobody has checked. */
export function filmStepOf(film: Film, type: FileType, as: SentUse): FilmStep {
  const { video, audio, width = 0, height = 0, seconds, isIndexFirst } = film;
  if (video === undefined) return { refused: 'no_picture' };
  if (seconds > prepareLimits[as].seconds) return { refused: 'too_long' };
  if (as === 'video_note' && width !== height) return 'encode';
  if (video !== VIDEO || (audio !== undefined && audio !== AUDIO)) return 'encode';
  return type === 'mp4' && isIndexFirst ? 'pass' : 'rewrite';
}
