import { joined, scan, wireTypes, type WireField } from './protobufFields.ts';

/**
 * A message of the protocol, as far as we read it: its fields by our name, each with its number and its type. All fields
 * are optional, as everything is in what a stranger wrote, and a field of another type is left out, as protobuf does it. So
 * nothing but bytes that are no message at all is `malformed`.
 */
export interface Shape<Value> {
  readonly read: (bytes: Uint8Array) => Value | 'malformed';
}

/** A field of a shape: its number, the types on the wire that it may have, and what all of its occurrences say. */
export interface ShapeField<Value> {
  readonly number: number;
  readonly wireType: number;
  readonly toValue: (found: readonly WireField[]) => Value | undefined | 'malformed';
}

export type ShapeFields = Readonly<Record<string, ShapeField<unknown>>>;
export type ValueOf<Fields extends ShapeFields> = {
  readonly [Name in keyof Fields]?: Fields[Name] extends ShapeField<infer Value> ? Value : never;
};
/** What a shape reads. */
export type Read<Any> = Any extends Shape<infer Value> ? Value : never;

/** The occurrences of one field that are looked at: a message has room for millions of empty ones. */
const MOST_OCCURRENCES = 4_096;

export function shape<const Fields extends ShapeFields>(fields: Fields): Shape<ValueOf<Fields>> {
  const entries = Object.entries(fields);
  const known = new Map(entries.map(([, { number, wireType }]) => [number, wireType]));
  return {
    read: (bytes) => {
      const found = new Map<number, WireField[]>();
      const scanned = scan(bytes, (field) => {
        if (known.get(field.number) !== field.wireType) return;
        const before = found.get(field.number);
        if (before === undefined) found.set(field.number, [field]);
        else if (before.length < MOST_OCCURRENCES) before.push(field);
      });
      if (scanned === 'malformed') return scanned;
      const values: Record<string, unknown> = {};
      for (const [name, { number, toValue }] of entries) {
        const occurrences = found.get(number);
        if (occurrences === undefined) continue;
        const value = toValue(occurrences);
        if (value === 'malformed') return value;
        if (value !== undefined) values[name] = value;
      }
      return values as ValueOf<Fields>;
    },
  };
}

/** A text; bytes in it that are no UTF-8 become U+FFFD, and an empty text counts as none. The last occurrence counts. */
export const text = (number: number): ShapeField<string> =>
  lastOf(number, wireTypes.bytes, ({ bytes }) => toText(bytes));
/** Bytes; none count as absent. */
export const bytes = (number: number): ShapeField<Uint8Array> =>
  lastOf(number, wireTypes.bytes, ({ bytes: value }) => (value.length === 0 ? undefined : value));
/** A number without sign, exact up to 2^53; also the number of an `enum`. */
export const integer = (number: number): ShapeField<number> => lastOf(number, wireTypes.number, ({ value }) => value);
/** A truth; `false` counts as absent. */
export const flag = (number: number): ShapeField<true> =>
  lastOf(number, wireTypes.number, ({ value }) => (value === 0 ? undefined : true));
/** A `double`; what is no finite number counts as absent. */
export const double = (number: number): ShapeField<number> =>
  lastOf(number, wireTypes.eightBytes, ({ bytes: value }) => finite(viewOf(value).getFloat64(0, true)));
/** A `float`. */
export const float = (number: number): ShapeField<number> =>
  lastOf(number, wireTypes.fourBytes, ({ bytes: value }) => finite(viewOf(value).getFloat32(0, true)));
/** A list of texts, the empty ones left out. */
export const texts = (number: number): ShapeField<readonly string[]> => ({
  number,
  wireType: wireTypes.bytes,
  toValue: (found) => found.flatMap(({ bytes: value }) => toText(value) ?? []),
});
/** A list of bytes. */
export const manyBytes = (number: number): ShapeField<readonly Uint8Array[]> => ({
  number,
  wireType: wireTypes.bytes,
  toValue: (found) => found.map(({ bytes: value }) => value),
});
/** All that stands under a number, for another shape to read. */
export const bytesOf = manyBytes;
/** A message within the message; it is the sum of its occurrences. */
export const part = <Value>(number: number, inner: Shape<Value>): ShapeField<Value> => ({
  number,
  wireType: wireTypes.bytes,
  toValue: (found) => inner.read(joined(found.map(({ bytes: value }) => value))),
});
/** A list of messages within the message. */
export const parts = <Value>(number: number, inner: Shape<Value>): ShapeField<readonly Value[]> => ({
  number,
  wireType: wireTypes.bytes,
  toValue: (found) => {
    const values = found.map(({ bytes: value }) => inner.read(value));
    return values.includes('malformed') ? 'malformed' : (values as readonly Value[]);
  },
});

/** Reads a field of `Message` by its shape. @param found all that stands under its number */
export function readField<Value>(inner: Shape<Value>, found: readonly Uint8Array[] | undefined): Value | 'malformed' {
  return inner.read(joined(found ?? []));
}

/** Bytes as a text, or undefined where there are none. */
export function toText(value: Uint8Array): string | undefined {
  return value.length === 0 ? undefined : Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8');
}

function lastOf<Value>(
  number: number,
  wireType: number,
  toValue: (field: WireField) => Value | undefined,
): ShapeField<Value> {
  return {
    number,
    wireType,
    toValue: (found) => {
      const last = found.at(-1);
      return last === undefined ? undefined : toValue(last);
    },
  };
}

function viewOf(value: Uint8Array): DataView {
  return new DataView(value.buffer, value.byteOffset, value.length);
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
