/**
 * Protobuf as it stands on the wire, read without knowing what it means. A sender chooses these bytes, so nothing here
 * throws, recurses, or takes more time or memory than grows with their number.
 */
export interface WireField {
  readonly number: number;
  /** The type of the field: one of {@link wireTypes}. */
  readonly wireType: number;
  /** The contents of a field of bytes, and of one that has four or eight; empty for all else. */
  readonly bytes: Uint8Array;
  /** The value of a number, exact up to 2^53; 0 for all else. */
  readonly value: number;
}

export const wireTypes = { number: 0, eightBytes: 1, bytes: 2, groupStart: 3, groupEnd: 4, fourBytes: 5 } as const;

const LARGEST_FIELD = 2 ** 29 - 1;
const MOST_NUMBER_BYTES = 10;
/** The greatest depth of groups, as deep as protobuf itself reads. */
const DEEPEST_GROUP = 100;
const NO_BYTES = new Uint8Array(0);

/**
 * Calls back with each field of a message in its order, but with none within a group. Returns `malformed` when the
 * bytes are no message; the fields before that count for nothing then.
 */
export function scan(bytes: Uint8Array, onField: (field: WireField) => void): 'whole' | 'malformed' {
  const cursor = { at: 0 };
  const groups: number[] = [];
  while (cursor.at < bytes.length) {
    const tag = readNumber(bytes, cursor);
    if (tag === undefined) return 'malformed';
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number === 0 || number > LARGEST_FIELD) return 'malformed';
    const isOutermost = groups.length === 0;
    if (wireType === wireTypes.groupEnd) {
      if (groups.pop() !== number) return 'malformed';
      continue;
    }
    if (wireType === wireTypes.groupStart) groups.push(number);
    if (groups.length > DEEPEST_GROUP) return 'malformed';
    const content = readContent(bytes, cursor, wireType);
    if (content === undefined) return 'malformed';
    if (isOutermost) onField({ number, wireType, ...content });
  }
  return groups.length === 0 ? 'whole' : 'malformed';
}

/**
 * The contents of a field of bytes that stands there more than once: a message is the sum of its parts.
 * @param parts in their order
 */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

interface Cursor {
  at: number;
}

function readContent(
  bytes: Uint8Array,
  cursor: Cursor,
  wireType: number,
): Pick<WireField, 'bytes' | 'value'> | undefined {
  if (wireType === wireTypes.groupStart) return { bytes: NO_BYTES, value: 0 };
  if (wireType === wireTypes.number) {
    const value = readNumber(bytes, cursor);
    return value === undefined ? undefined : { bytes: NO_BYTES, value };
  }
  const length = lengthOf(bytes, cursor, wireType);
  if (length === undefined || length > bytes.length - cursor.at) return undefined;
  const start = cursor.at;
  cursor.at += length;
  return { bytes: bytes.subarray(start, cursor.at), value: 0 };
}

function lengthOf(bytes: Uint8Array, cursor: Cursor, wireType: number): number | undefined {
  if (wireType === wireTypes.bytes) return readNumber(bytes, cursor);
  if (wireType === wireTypes.eightBytes) return 8;
  return wireType === wireTypes.fourBytes ? 4 : undefined;
}

function readNumber(bytes: Uint8Array, cursor: Cursor): number | undefined {
  let value = 0;
  let scale = 1;
  for (let read = 0; read < MOST_NUMBER_BYTES; read += 1) {
    const byte = bytes[cursor.at];
    if (byte === undefined) return undefined;
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  return undefined;
}
