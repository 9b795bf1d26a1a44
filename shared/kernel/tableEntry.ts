/**
 * The entry of a table for a word from outside, or undefined. A table is an object, and every object also answers to
 * `constructor`, `toString` and others, which a caller who chooses the word may know.
 */
export function tableEntry<Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
