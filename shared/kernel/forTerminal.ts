/**
 * Characters that a terminal obeys instead of showing them: control characters, and marks that turn the direction of
 * the rest of a line.
 */
const OBEYED = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** A text of unknown origin, in the form in which a terminal may show it on one line. Joined emoji stay whole. */
export function forTerminal(text: string): string {
  return text.replace(OBEYED, '\uFFFD');
}
