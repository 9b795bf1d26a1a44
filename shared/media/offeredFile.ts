/**
 * How a file that somebody sent is offered so that nothing of it runs in a browser. Type and disposition are ours and are
 * part of the signature of its address, so whoever has the address cannot change them. The rules:
 *
 * | the file is said to be                                  | type given                 | disposition                       |
 * | ------------------------------------------------------- | -------------------------- | --------------------------------- |
 * | a picture, film or sound that browsers show             | its own                    | `inline` if wanted, or attachment |
 * | a document, table, archive or contact that browsers save | its own                    | `attachment`                      |
 * | anything else: pages, SVG, XML, scripts, what is unknown | `application/octet-stream` | `attachment`                      |
 *
 * Browsers look into the bytes of pictures, films and sounds only to tell them from each other, never to find a page in
 * them (https://mimesniff.spec.whatwg.org/, "Determining the computed MIME type of a resource"), so that these are safe
 * without `nosniff`, which S3 cannot say. PDF may hold scripts of its own: it is saved and never shown.
 */

/** Types that a browser may show. */
const SHOWN: ReadonlySet<string> = new Set([
  'audio/aac',
  'audio/amr',
  'audio/flac',
  'audio/mp4',
  'audio/mpeg',
  'audio/ogg',
  'audio/opus',
  'audio/wav',
  'audio/webm',
  'audio/x-wav',
  'image/avif',
  'image/bmp',
  'image/gif',
  'image/heic',
  'image/jpeg',
  'image/png',
  'image/webp',
  'video/3gpp',
  'video/mp4',
  'video/quicktime',
  'video/webm',
]);

/** Types that keep their name, and are saved. */
const SAVED: ReadonlySet<string> = new Set([
  'application/gzip',
  'application/msword',
  'application/pdf',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  'application/vnd.oasis.opendocument.presentation',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.rar',
  'application/x-7z-compressed',
  'application/zip',
  'text/csv',
  'text/plain',
  'text/vcard',
  'text/x-vcard',
]);

const UNKNOWN = 'application/octet-stream';

export interface OfferedFile {
  readonly type: string;
  /** The value of the header `Content-Disposition`: visible ASCII and spaces only. */
  readonly disposition: string;
}

/** The type and disposition with which a file is offered. What it is given was written by others. */
export function toOfferedFile(about: {
  readonly filename?: string;
  readonly contentType: string;
  readonly shownInline: boolean;
}): OfferedFile {
  const said = essenceOf(about.contentType);
  const isShown = SHOWN.has(said);
  const way = isShown && about.shownInline ? 'inline' : 'attachment';
  const name = about.filename === undefined ? '' : toFileName(about.filename);
  return {
    type: isShown || SAVED.has(said) ? said : UNKNOWN,
    disposition: name === '' ? way : `${way}; ${named(name)}`,
  };
}

/** The type without its parameters: `audio/ogg` of `Audio/Ogg; codecs=opus`. */
function essenceOf(contentType: string): string {
  return (contentType.slice(0, 256).split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** The most characters of a name, each of which may take twelve in the header, and twenty in an address. */
const NAME_CHARACTERS = 120;
/** The longest ending that is kept when a name is cut. */
const ENDING_CHARACTERS = 12;

/**
 * Not in the name of a file: control and format characters (those that turn the direction of writing make `exe.gpj` look
 * like `jpg.exe`), line ends, what separates folders or means something to a shell of Windows.
 */
// oxlint-disable-next-line no-control-regex
const NOT_IN_NAMES = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}"*/:<>?\\|]+/gu;

/** A name that any system can store a file under; empty when nothing is left of it. */
export function toFileName(said: string): string {
  // What is cut here cannot be seen in the name that is left, and a name of a megabyte is not walked through.
  const clean = said
    .slice(0, 4_096)
    .toWellFormed()
    .replaceAll(NOT_IN_NAMES, '_')
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/^[. ]+|[. ]+$/g, '');
  const characters = Array.from(clean);
  if (characters.length <= NAME_CHARACTERS) return clean;
  const dot = characters.lastIndexOf('.');
  const ending = dot > 0 && characters.length - dot <= ENDING_CHARACTERS ? characters.slice(dot) : [];
  return [...characters.slice(0, NAME_CHARACTERS - ending.length), ...ending].join('');
}

/**
 * The parameters that name a file (RFC 6266): in ASCII for old clients, and in UTF-8 for all others (RFC 8187), which take
 * the second one.
 */
function named(name: string): string {
  const ascii = name.replaceAll(/[^ -~]/gu, '_').replaceAll('%', '_');
  const plain = `filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${percentEncoded(name)}`;
}

/** Each byte that is not a letter, a digit or one of `-._~` as `%XX`: what RFC 3986 calls unreserved. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
