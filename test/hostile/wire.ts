/** Protobuf as bytes, written by hand: so that what is said does not depend on who reads it, and can be wrong. */
export function varint(value: number | bigint): Buffer {
  let left = BigInt(value);
  const bytes: number[] = [];
  while (left > 0x7fn) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  return Buffer.from([...bytes, Number(left)]);
}

/** A field of bytes: a text, a message, or bytes as such. */
export function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field that holds a number. */
export function numberField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** A message that says a text, as people write it. */
export function conversation(text: string): Buffer {
  return field(1, Buffer.from(text));
}

/** Numbers of the fields of a message, each once; undefined when the bytes are no message. */
export function fieldNumbers(bytes: Uint8Array): readonly number[] | undefined {
  const numbers = new Set<number>();
  let at = 0;
  const read = (): number | undefined => {
    let value = 0;
    for (let index = 0; index < 10; index += 1) {
      const byte = bytes[at];
      if (byte === undefined) return undefined;
      at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = read();
    if (tag === undefined || tag < 8) return undefined;
    numbers.add(Math.floor(tag / 8));
    const wireType = tag % 8;
    if (wireType === 0 && read() === undefined) return undefined;
    if (wireType === 1) at += 8;
    if (wireType === 5) at += 4;
    if (wireType === 2) {
      const length = read();
      if (length === undefined) return undefined;
      at += length;
    }
    // Groups are not followed: who uses them is no client that exists.
    if (wireType === 3 || wireType === 4 || wireType > 5 || at > bytes.length) return undefined;
  }
  return [...numbers];
}
