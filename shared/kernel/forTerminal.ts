/** What a terminal obeys instead of showing it: control characters, and marks that turn the direction of the rest of a line. */
const OBEYED = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** A text that somebody else wrote, as one line of a terminal may show it. Joined emoji stay whole. */
export function forTerminal(text: string): string {
  return text.replace(OBEYED, '\uFFFD');
}
