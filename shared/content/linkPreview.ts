import { z } from 'zod';
import { always, prose, said, wholeText } from './bodyField.ts';
import { record } from './bodyShape.ts';

const TITLE_LIMIT = 256;
const DESCRIPTION_LIMIT = 1_024;
const URL_LIMIT = 2_048;
/** The characters of a thumbnail in base64, 12 KB: WhatsApp's own clients make smaller ones. */
const THUMBNAIL_LIMIT = 16_384;
/** The beginning of every JPEG, in base64. */
const JPEG = /^\/9j\/[A-Za-z0-9+/]*={0,2}$/;

/** What readers see of a link in a text. Whoever sends it says what: nobody fetches the page. */
export const linkPreviewShown = record({
  url: always(wholeText(), ''),
  title: prose(4 * TITLE_LIMIT),
  description: prose(2 * DESCRIPTION_LIMIT),
  thumbnail: said(wholeText(THUMBNAIL_LIMIT), 'A small JPEG in base64; not told of received texts.'),
});

/** The preview as a tenant asks for it. */
export const linkPreview = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(URL_LIMIT),
  title: z.string().min(1).max(TITLE_LIMIT),
  description: z.string().max(DESCRIPTION_LIMIT).optional(),
  thumbnail: z.string().max(THUMBNAIL_LIMIT).regex(JPEG, 'must be a JPEG in base64').optional(),
});
