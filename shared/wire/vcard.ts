import type { Contact } from '../content/kinds/contacts.ts';
import { THUMBNAIL_BYTES, toThumbnail } from '../content/thumbnail.ts';
import { parsePhoneNumber } from '../kernel/jid.ts';
import { present } from './present.ts';

/**
 * Contacts as cards (RFC 6350, and its predecessors 2.1 and 3.0, which phones still write), as far as they have a field in a
 * contact. Of pictures see {@link readPhoto}; whatever else is left out. A stranger wrote the card: nothing here throws, and a line that cannot be
 * read says nothing.
 */

/** The lines that are looked at, and the characters of each: a card may hold pictures. */
const MOST_LINES = 500;
const MOST_CHARACTERS = 10_000;
/** The characters of a card that are looked at. */
const LONGEST_CARD = 500_000;
const MOST_OF_EACH = 20;

interface Line {
  readonly group: string | undefined;
  readonly name: string;
  /** Parameters by their names in capitals; several types stand in one list. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  readonly value: string;
}

/** Reads a card. @param displayName the name beside the card, for one that has none itself */
export function readVCard(card: string, displayName: string): Contact {
  const lines = linesOf(card);
  const textOf = (name: string): string | undefined => {
    const line = lines.find((each) => each.name === name);
    return line === undefined ? undefined : unescape(line.value) || undefined;
  };
  const [last, first, middle, prefix, suffix] = partsOf(lines.find(({ name }) => name === 'N'));
  const [company, department] = partsOf(lines.find(({ name }) => name === 'ORG'));
  const org = present({ company, department, title: textOf('TITLE') });
  const formatted = [displayName, textOf('FN') ?? '', [first, last].filter(Boolean).join(' ')].find(
    (name) => name !== '',
  );
  const labelOf = (line: Line): string | undefined => typeOf(line) ?? labelIn(lines, line.group);
  const listOf = <Entry>(name: string, toEntry: (line: Line) => Entry): readonly Entry[] | undefined => {
    const found = lines.filter((line) => line.name === name).slice(0, MOST_OF_EACH);
    return found.length === 0 ? undefined : found.map(toEntry);
  };
  return present({
    name: present({
      formatted_name: formatted ?? '',
      first_name: first,
      last_name: last,
      middle_name: middle,
      prefix,
      suffix,
    }),
    phones: listOf('TEL', (line) => toPhone(line, labelOf(line))),
    emails: listOf('EMAIL', (line) => present({ email: unescape(line.value), type: labelOf(line) })),
    urls: listOf('URL', (line) => present({ url: unescape(line.value), type: labelOf(line) })),
    addresses: listOf('ADR', (line) => toAddress(line, labelOf(line))),
    org: Object.keys(org).length === 0 ? undefined : org,
    birthday: textOf('BDAY'),
  }) as Contact;
}

/** The characters of a photo in a card that are looked at: those of the largest small picture in base64, with room for its lines. */
const PHOTO_CHARACTERS = Math.ceil((THUMBNAIL_BYTES * 4) / 3) + 2_000;
const PHOTO = /^(?:[\w-]{1,40}\.)?PHOTO((?:;[^:\r\n]{0,200})?):((?:[^\r\n]|\r?\n[ \t])*)/im;

/**
 * The photo in a card: a small JPEG that holds nothing else; undefined where there is none, or a larger one. A link to one is not followed.
 */
export function readPhoto(card: string): Uint8Array | undefined {
  const [, parameters = '', value = ''] = PHOTO.exec(card.slice(0, LONGEST_CARD)) ?? [];
  if (value.length > PHOTO_CHARACTERS) return undefined;
  // In version 4.0 the bytes stand behind `data:image/jpeg;base64,`.
  const written = /^data:image\/jpe?g;base64,(.*)$/is.exec(value)?.[1] ?? (isInBase64(parameters) ? value : undefined);
  if (written === undefined || !/^[A-Za-z0-9+/=\s]+$/.test(written)) return undefined;
  return toThumbnail(Buffer.from(written.replaceAll(/\s/g, ''), 'base64'));
}

function isInBase64(parameters: string): boolean {
  return /;(?:ENCODING=)?(?:b|BASE64)(?:;|$)/i.test(parameters);
}

function toPhone(line: Line, type: string | undefined) {
  const waId = line.parameters.get('WAID')?.[0];
  return present({
    phone: unescape(line.value).replace(/^tel:/i, ''),
    type,
    wa_id: waId !== undefined && /^\d{1,20}$/.test(waId) ? waId : undefined,
  });
}

function toAddress(line: Line, type: string | undefined) {
  const [, , street, city, state, zip, country] = partsOf(line);
  return present({ street, city, state, zip, country, country_code: line.parameters.get('CC')?.[0], type });
}

/** Types that say nothing about which of somebody's numbers or addresses it is. */
const PLAIN_TYPES: ReadonlySet<string> = new Set(['VOICE', 'PREF', 'INTERNET', 'X-INTERNET']);

function typeOf({ parameters }: Line): string | undefined {
  return parameters.get('TYPE')?.find((type) => !PLAIN_TYPES.has(type));
}

/** The label that Apple's phones write on a line of its own, in the same group: `item1.X-ABLabel:Mobile`. */
function labelIn(lines: readonly Line[], group: string | undefined): string | undefined {
  if (group === undefined) return undefined;
  const label = lines.find((line) => line.group === group && line.name === 'X-ABLABEL')?.value;
  return label === undefined ? undefined : unescape(label.replace(/^_\$!<(.*)>!\$_$/, '$1')).toUpperCase() || undefined;
}

const LINE = /^(?:([\w-]{1,40})\.)?([\w-]{1,40})((?:;[^:]{0,1000})?):(.*)$/s;

function linesOf(card: string): readonly Line[] {
  const unfolded = card.slice(0, LONGEST_CARD).replaceAll(/\r?\n[ \t]/g, '');
  const lines: Line[] = [];
  let rest: string | undefined;
  for (const text of unfolded.split(/\r?\n/, MOST_LINES)) {
    // A line in quoted-printable goes on after a `=` at its end.
    const whole = rest === undefined ? text : rest + text;
    rest = undefined;
    if (whole.length > MOST_CHARACTERS) continue;
    const line = toLine(whole);
    if (line === undefined) continue;
    const isQuoted = line.parameters.get('ENCODING')?.includes('QUOTED-PRINTABLE') === true;
    if (isQuoted && whole.endsWith('=')) rest = whole.slice(0, -1);
    else lines.push(isQuoted ? { ...line, value: fromQuotedPrintable(line.value) } : line);
  }
  return lines;
}

function toLine(text: string): Line | undefined {
  const [, group, name, written = '', value = ''] = LINE.exec(text) ?? [];
  if (name === undefined) return undefined;
  const parameters = new Map<string, string[]>();
  for (const parameter of written.split(';').slice(1, MOST_OF_EACH)) {
    const [key = '', values] = parameter.split('=', 2);
    // In version 2.1 a type stands by itself: `TEL;CELL:…`.
    const named = values === undefined ? 'TYPE' : key.toUpperCase();
    const list = (values ?? key).replaceAll('"', '').split(',', MOST_OF_EACH);
    parameters.set(named, [...(parameters.get(named) ?? []), ...list.map((each) => each.trim().toUpperCase())]);
  }
  return { group, name: name.toUpperCase(), parameters, value: value.trim() };
}

function fromQuotedPrintable(value: string): string {
  const bytes = value.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The parts of a value that has several, each undefined where it is empty. */
function partsOf(line: Line | undefined): readonly (string | undefined)[] {
  if (line === undefined) return [];
  const { value } = line;
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < value.length && parts.length < MOST_OF_EACH; at += 1) {
    // A semicolon behind a backslash belongs to the part.
    if (value[at] === '\\') at += 1;
    else if (value[at] === ';') {
      parts.push(value.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, value.slice(start)].map((part) => unescape(part) || undefined);
}

function unescape(value: string): string {
  return value.replaceAll(/\\(.)/gs, (_, character: string) => (/n/i.test(character) ? '\n' : character));
}

/** Writes a card of version 3.0, as WhatsApp's own clients do: lines are not folded. @param photo a small JPEG, in base64 */
export function writeVCard(
  { name, phones = [], emails = [], urls = [], addresses = [], org, birthday }: Contact,
  photo?: string,
): string {
  const { formatted_name: formatted, first_name: first, last_name: last, middle_name: middle, prefix, suffix } = name;
  const lines = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:${joined([last, first, middle, prefix, suffix])}`,
    `FN:${escape(formatted)}`,
    ...(org?.company === undefined && org?.department === undefined
      ? []
      : [`ORG:${joined(org.department === undefined ? [org.company] : [org.company, org.department])}`]),
    ...(org?.title === undefined ? [] : [`TITLE:${escape(org.title)}`]),
    ...phones.map(({ phone = '', type, wa_id: waId }) => {
      const digits = waId ?? parsePhoneNumber(phone);
      return `TEL${typed(type)}${digits === undefined ? '' : `;waid=${digits}`}:${escape(phone)}`;
    }),
    ...emails.map(({ email = '', type }) => `EMAIL${typed(type)}:${escape(email)}`),
    ...urls.map(({ url = '', type }) => `URL${typed(type)}:${escape(url)}`),
    ...addresses.map(
      ({ street, city, state, zip, country, country_code: code, type }) =>
        `ADR${typed(type)}${code === undefined ? '' : `;CC=${code.replaceAll(/\W/g, '')}`}:${joined([undefined, undefined, street, city, state, zip, country])}`,
    ),
    ...(birthday === undefined ? [] : [`BDAY:${birthday}`]),
    ...(photo === undefined ? [] : [`PHOTO;ENCODING=b;TYPE=JPEG:${photo}`]),
    'END:VCARD',
  ];
  return lines.join('\n');
}

function typed(type: string | undefined): string {
  return type === undefined ? '' : `;type=${type}`;
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.map((part) => escape(part ?? '')).join(';');
}

/** No value can end its line, or begin another part. */
function escape(value: string): string {
  return value.replaceAll(/[\\;,]/g, String.raw`\$&`).replaceAll(/\r\n|\r|\n/g, String.raw`\n`);
}
