import { createHash } from 'node:crypto';

const HASH_CHARACTERS = 40;

/**
 * A name that others chose, with a bounded length: itself if it fits, or else its beginning, `~` and a hash of the
 * whole, so that two long names stay different. A well-formed name stays well-formed.
 * @param units the greatest length in UTF-16 units, more than 41
 */
export function boundedName(name: string, units: number): string {
  if (name.length <= units) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  // A pair that is cut in two would leave half a character.
  const kept = name.slice(0, units - HASH_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '');
  return `${kept}~${hash}`;
}

/** Letters that are one byte each in a key of the store. */
const PLAIN = /^[\x21-\x7e]*$/;

/**
 * A name that others chose, as part of a key of the store, whose bytes are limited: a long or odd name is represented
 * by its hash alone.
 */
export function boundedKeyPart(name: string, units: number): string {
  if (name.length <= units && PLAIN.test(name)) return name;
  return `~${createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS)}`;
}
