import type { Contact } from './contact.ts';

/** A search of contacts: by the beginning of a phone number, or of a word of a name. */
export type ContactSearch =
  { readonly by: 'number'; readonly digits: string } | { readonly by: 'name'; readonly words: readonly string[] };

/** Reads a search as it was written: digits, with what stands between them in a phone number, are one by number. */
export function toSearch(written: string): ContactSearch {
  const digits = written.replaceAll(/\D/g, '');
  const isNumber = digits !== '' && /^\+?[\d\s().-]+$/.test(written);
  return isNumber ? { by: 'number', digits } : { by: 'name', words: wordsOf(written) };
}

/** Whether each word of a search begins a word of a name of the person, or of the handle. Case and accents do not count, and an emoji is a word. */
export function isNamed({ push, saved, username }: Contact, words: readonly string[]): boolean {
  const own = [push, saved, username].flatMap((name) => (name === undefined ? [] : wordsOf(name)));
  return words.length > 0 && words.every((word) => own.some((one) => one.startsWith(word)));
}

function wordsOf(text: string): readonly string[] {
  const folded = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return folded.match(/[\p{L}\p{N}]+|\p{S}/gu) ?? [];
}
