import type { FileType } from './fileTypes.ts';
import type { ConversionFault } from './converter/conversionError.ts';
import type { Film } from './converter/films.ts';
import type { PictureMade } from './converter/pictures.ts';
import type { PackMade } from './converter/stickerPack.ts';
import type { SoundMade } from './converter/sounds.ts';

/** What the converter is asked to do with one file. */
export type ConversionJob =
  | {
      readonly do: 'photo' | 'portrait' | 'card' | 'sticker' | 'pack' | 'mp4';
      readonly path: string;
      readonly out: string;
    }
  | { readonly do: 'picture' | 'film'; readonly path: string }
  | {
      readonly do: 'voice' | 'audio';
      readonly path: string;
      readonly out: string;
      readonly type: FileType;
      readonly mostSeconds: number;
    };

/** What comes of each job. */
export interface ConversionsMade {
  readonly photo: PictureMade;
  readonly portrait: PictureMade;
  readonly card: PictureMade;
  readonly picture: PictureMade;
  readonly sticker: PictureMade;
  readonly pack: PackMade;
  readonly voice: SoundMade;
  readonly audio: SoundMade;
  readonly film: Film;
  readonly mp4: object;
}

export type ConversionAnswer =
  | { readonly made: object }
  | { readonly fault: ConversionFault; readonly why: string }
  | { readonly refusedBySystem: string };

/** The most memory of a process that converts, in bytes: photos of 64 megapixels take half of it. The function has three times as much. */
export const mostResidentBytes = 640 * 1_024 * 1_024;
/** The number with which the converter ends when it has more. */
export const tooHeavyCode = 87;
/** How long one program may work on a file. */
export const conversionMs = 30_000;
