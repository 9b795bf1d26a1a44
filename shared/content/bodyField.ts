import { z } from 'zod';
import { boundedName } from '../kernel/boundedName.ts';

/** The units that the texts of a body may still take, and whether anything of it had to be cut. */
export interface Room {
  units: number;
  isCut: boolean;
}

/** One field of a body that a stranger filled: its schema, and how any value is made to fit; undefined for what cannot be. */
export interface BodyField<Value> {
  readonly schema: z.ZodType<Value>;
  readonly bound: (value: unknown, room: Room) => Value | undefined;
}

/** The UTF-16 units of a short text, such as a name, an id or a type. */
const WORD_UNITS = 512;
/** The UTF-16 units of a text that people write, which is cut at its end. */
const PROSE_UNITS = 4_096;
/** The greatest length of a text of which no part is enough, such as an address on the internet. */
const LINK_UNITS = 2_048;
const BASE64_UNITS = 512;
/** The entries of a list, and the room that an entry takes beside its texts: the names of its fields. */
const LIST_ENTRIES = 64;
const ENTRY_UNITS = 24;
/** The first unit that is cut off by a hash (`boundedName`) must leave something to be read. */
const LEAST_NAME_UNITS = 64;

/** A short text. A longer one is its beginning and a hash, so that two long ones stay two. */
export function word(units: number = WORD_UNITS): BodyField<string> {
  return {
    schema: z.string().max(units),
    bound: (value, room) => {
      if (typeof value !== 'string') return undefined;
      const text = value.toWellFormed();
      if (text.length <= Math.min(units, room.units)) return take(text, room);
      room.isCut = true;
      const left = Math.min(units, room.units);
      return left < LEAST_NAME_UNITS ? undefined : take(boundedName(text, left), room);
    },
  };
}

/** A text that people write and read, which may be cut. */
export function prose(units: number = PROSE_UNITS): BodyField<string> {
  return {
    schema: z.string().max(units),
    bound: (value, room) => {
      if (typeof value !== 'string') return undefined;
      const text = value.toWellFormed();
      const most = Math.min(units, room.units);
      if (text.length <= most) return take(text, room);
      room.isCut = true;
      // A pair that is cut in two would leave half a character.
      return most === 0 ? undefined : take(text.slice(0, most).replace(/[\ud800-\udbff]$/, ''), room);
    },
  };
}

/** A text that is whole or absent. */
export function wholeText(units: number = LINK_UNITS): BodyField<string> {
  return {
    schema: z.string().max(units),
    bound: (value, room) => {
      if (typeof value !== 'string') return undefined;
      const text = value.toWellFormed();
      if (text.length <= Math.min(units, room.units)) return take(text, room);
      room.isCut = true;
      return undefined;
    },
  };
}

/** Bytes in base64, whole or absent. */
export const base64 = (): BodyField<string> => wholeText(BASE64_UNITS);

/** A number of things, or a size. */
export function count(): BodyField<number> {
  return {
    schema: z.number().int().min(0),
    bound: (value) => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined),
  };
}

/** A number with a fraction. */
export function decimal(least: number, most: number): BodyField<number> {
  return {
    schema: z.number().min(least).max(most),
    bound: (value) => (typeof value === 'number' && value >= least && value <= most ? value : undefined),
  };
}

/** Something that holds, or is not said. */
export function holds(): BodyField<true> {
  return { schema: z.literal(true), bound: (value) => (value === true ? true : undefined) };
}

/** One of our words. */
export function oneOf<const Word extends string>(words: readonly [Word, ...Word[]]): BodyField<Word> {
  return {
    schema: z.enum(words),
    bound: (value) => words.find((each) => each === value),
  };
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A moment, in ISO 8601 and UTC. */
export function moment(): BodyField<string> {
  return {
    schema: z.iso.datetime(),
    bound: (value) =>
      typeof value === 'string' && MOMENT.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined,
  };
}

/** A list, cut at its end; absent where nothing is in it. */
export function list<Value>(field: BodyField<Value>, entries: number = LIST_ENTRIES): BodyField<readonly Value[]> {
  return {
    schema: z.array(field.schema).max(entries),
    bound: (value, room) => {
      if (!Array.isArray(value)) return undefined;
      const kept: Value[] = [];
      for (const each of value as readonly unknown[]) {
        if (kept.length === entries || room.units < ENTRY_UNITS) {
          room.isCut = true;
          break;
        }
        room.units -= ENTRY_UNITS;
        const bound = field.bound(each, room);
        if (bound === undefined) room.units += ENTRY_UNITS;
        else kept.push(bound);
      }
      return kept.length === 0 ? undefined : kept;
    },
  };
}

/** A field that is always there. @param fallback its value where nothing else can be said */
export function always<Value>(
  field: BodyField<Value>,
  fallback: NoInfer<Value>,
): BodyField<Value> & { readonly fallback: Value } {
  return { ...field, fallback };
}

/** A field with the sentence that the OpenAPI document has about it. */
export function said<Field extends BodyField<unknown>>(field: Field, description: string): Field {
  return { ...field, schema: field.schema.meta({ description }) };
}

function take(text: string, room: Room): string {
  room.units -= text.length;
  return text;
}
