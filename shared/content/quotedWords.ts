import { firstCharacters } from '../kernel/firstCharacters.ts';
import type { Content, OutboundContent } from './content.ts';

/** Where a body has what a reader of it would call its words, the best first. */
const PLACES: readonly (readonly [string, string?])[] = [
  ['body'],
  ['caption'],
  ['name'],
  ['title'],
  ['text'],
  ['group_name'],
  ['kind'],
  ['body', 'text'],
  ['text', 'body'],
  ['button_reply', 'title'],
  ['list_reply', 'title'],
];
/** How much of a message is quoted as words, in characters: more is not shown anywhere. */
const MOST_CHARACTERS = 1_024;

/** A content in a line of words, for a message that quotes it; the name of its kind where it has none. */
export function quotedWords(content: Content | OutboundContent): string {
  const body = (content as unknown as Readonly<Record<string, unknown>>)[content.type];
  const words = PLACES.map(([outer, inner]) => {
    const value = fieldIn(body, outer);
    return inner === undefined ? value : fieldIn(value, inner);
  }).find((value) => typeof value === 'string' && value !== '');
  return firstCharacters(typeof words === 'string' ? words : `[${content.type}]`, MOST_CHARACTERS);
}

function fieldIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
