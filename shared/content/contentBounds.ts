import { boundedName } from '../kernel/boundedName.ts';
import { firstCharacters } from '../kernel/firstCharacters.ts';

/** The greatest sizes of the parts of a received content (`docs/failures.md`). */
export const contentBounds = {
  /** The characters (code points) of a text: WhatsApp's own limit. */
  textCharacters: 65_536,
  /** The UTF-16 units of a word of the protocol: the kind of a message, or a flag. */
  wordUnits: 64,
  fields: 32,
  /** The largest number of a field that protobuf knows. */
  fieldNumber: 2 ** 29 - 1,
  /** The UTF-16 units of any other text, and the entries of any other list. */
  otherUnits: 512,
  otherItems: 64,
} as const;

/** A text, cut at the bound of texts. */
export const boundText = (text: string): string =>
  typeof text === 'string' ? firstCharacters(text.toWellFormed(), contentBounds.textCharacters) : text;

export const boundWord = (text: string): string => boundedName(wellFormed(text), contentBounds.wordUnits);

/** A count of things; 0 where the value is not a count. */
export const boundCount = (number: number): number => (Number.isSafeInteger(number) && number >= 0 ? number : 0);

/** Any value, with its texts and lists cut at the bounds for parts that are not known by name. */
export function boundOther<Value>(value: Value): Value {
  return boundPart(value) as Value;
}

/** A well-formed text. A value that is no text, whatever its type says, stays as it is: a schema refuses it later. */
export function wellFormed(text: string): string {
  return typeof text === 'string' ? text.toWellFormed() : text;
}

function boundPart(value: unknown): unknown {
  if (typeof value === 'string') return boundedName(value.toWellFormed(), contentBounds.otherUnits);
  if (Array.isArray(value)) return value.slice(0, contentBounds.otherItems).map(boundPart);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, boundPart(inner)]));
}
