import { base64, count, prose, said, word } from './bodyField.ts';
import { BODY_UNITS } from './bodyShape.ts';

/** The fields that every file has, with the Cloud API's names where it has them. */
export const fileFields = {
  mime_type: word(),
  sha256: said(base64(), 'SHA-256 of the file, in base64.'),
  bytes: said(count(), 'Size of the file.'),
} as const;

/** The fields of what has an area. */
export const areaFields = {
  width: said(count(), 'In pixels.'),
  height: said(count(), 'In pixels.'),
} as const;

/** The text of a picture, a film or a file: as long as a body may be. */
export const caption = prose(BODY_UNITS);
