import type { NumberedOption } from './interactiveFallback.ts';

/** The most UTF-16 units of a text that may be a choice: the longest title with some spaces around it. */
const MOST_UNITS = 64;
/** The most of one that is read as a choice though it quotes nothing: two digits with a full stop, or a short word. */
const MOST_BARE_UNITS = 3;

/** Whether a text is so short that it may choose an option of the message that it quotes. */
export function mayChoose(text: string): boolean {
  return text.length <= MOST_UNITS;
}

/** Whether a text that quotes nothing is so short that it is worth looking whether something was asked. */
export function mayChooseBare(text: string): boolean {
  return text.trim().length <= MOST_BARE_UNITS && text.trim() !== '';
}

/**
 * The option that a text means: its number, from 1 on, in any script and also as `2.`, `(2)` or a keycap, or its title, whatever
 * its case. Undefined where it means none, or could mean two.
 * @param isNumbered whether the reader saw numbers before the titles
 */
export function chosenByText<Option extends NumberedOption>(
  text: string,
  options: readonly Option[],
  isNumbered: boolean,
): Option | undefined {
  const number = isNumbered ? numberIn(text) : undefined;
  const meant = options.filter(({ title }, index) => index + 1 === number || folded(title) === folded(text));
  if (meant.length === 1) return meant[0];
  // Titles that differ in their case alone are told apart by it; a title that is another one's number is not.
  const exact = number === undefined ? options.filter(({ title }) => title === text.trim()) : [];
  return exact.length === 1 ? exact[0] : undefined;
}

/** Selectors of emojis, and marks that only steer the direction of writing: keyboards of Arabic and Hebrew put them in. */
const UNSEEN = /[\uFE0F\u20E3\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/** A text as people compare it: without case, without what nobody sees, and in one form of its letters. */
function folded(text: string): string {
  return text.normalize('NFKC').replaceAll(UNSEEN, '').replaceAll(/\s+/g, ' ').trim().toLowerCase();
}

const NUMBER = /^[(#]?(\p{Nd}{1,2})[.):]?$/u;
const DIGIT = /^\p{Nd}$/u;

function numberIn(text: string): number | undefined {
  const digits = NUMBER.exec(folded(text))?.[1];
  return digits === undefined ? undefined : Number(Array.from(digits, valueOf).join(''));
}

/** The value of a digit of any script: the ten of a script follow each other, and what is before its zero is none. */
function valueOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && DIGIT.test(String.fromCodePoint(code - value - 1))) value += 1;
  return value;
}
