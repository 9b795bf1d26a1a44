import type { PrepareFault } from '../media/prepareFaults.ts';

/** The reasons why an action failed because of the file that was to become a picture, each with one sentence that says what to do. */
export const pictureErrors = {
  file_not_fetched: 'The file could not be fetched, from its link or from WhatsApp. GET /v1/media/{id}/info says why.',
  file_gone: 'The file is no longer kept here. Bring it again, and name that one.',
  file_empty: 'The file has no bytes. Bring it again.',
  file_too_large: 'The file is larger than 32 MB, or no JPEG of at most 100 KB can be made of it. Make it smaller.',
  file_wrong_type: 'By its bytes the file is no picture. Name a JPEG, PNG, WebP, GIF, AVIF or TIFF.',
  file_broken: 'The picture is damaged or breaks off: it cannot be read to its end. Look at it, and bring it again.',
  file_too_many_pixels: 'The picture has more pixels than can be converted. Make it smaller.',
  file_too_costly: 'To convert this picture takes more time or memory than one file is given. Make it smaller.',
} as const satisfies Readonly<Record<string, string>>;
export type PictureErrorCode = keyof typeof pictureErrors;

/** What a fault of preparing means for an action: those that are no picture's own count as broken. */
export function pictureErrorOf(fault: PrepareFault): PictureErrorCode {
  const code = `file_${fault}`;
  return Object.hasOwn(pictureErrors, code) ? (code as PictureErrorCode) : 'file_broken';
}
