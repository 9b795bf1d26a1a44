import { firstCharacters } from '../../../shared/kernel/firstCharacters.ts';

/** What no answer of ours may hold: NUL, and code points that are no characters. */
const UNSHOWN = /\0|\p{Noncharacter_Code_Point}/gu;

/** A text that strangers wrote, in a form that any store and any reader takes: well-formed, and no longer than so many characters. */
export function toShownText(text: string, characters: number): string {
  return firstCharacters(text, characters).toWellFormed().replaceAll(UNSHOWN, '\u{FFFD}');
}

/** The text in the content of a node; undefined where it has none. */
export function textIn(content: unknown): string | undefined {
  if (content instanceof Uint8Array) return Buffer.from(content).toString('utf8');
  return typeof content === 'string' ? content : undefined;
}
