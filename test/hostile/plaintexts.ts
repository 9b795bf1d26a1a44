import * as fc from 'fast-check';
import { fillField, readDefinitions, type FieldDefinition } from './protoDefinition.ts';
import { conversation, field, fieldNumbers, numberField, varint } from './wire.ts';

/** What a contact may put into a message: drawn from a seed, from what is almost right to what is nothing at all. */
export interface Plaintext {
  /** How it was made. */
  readonly kind: PlaintextKind;
  readonly bytes: Buffer;
  /** Whether the phone pads it, or it goes as it is. */
  readonly isPadded: boolean;
  /** How many events it must give, where that is known from how it was made. */
  readonly gives?: Gives;
}

export type Gives = 'one' | 'none' | 'at_most_one';

export type PlaintextKind = 'random' | 'text' | 'field' | 'mutated' | 'nested' | 'unknown' | 'lying';

export const definitions = readDefinitions();
export const messageFields = definitions.get('Message') ?? [];
/** Fields that hold a message of their own, which is their field 1. */
export const wrapperFields = messageFields.filter(({ type }) => type === 'Message.FutureProofMessage');
/** Fields that devices fill for each other, of which a contact need not be told. `docs/wire.md` shows the list. */
const BOOKKEEPING: readonly number[] = [2, 12, 15, 35, 47, 123, 127];
const HOLDS_A_MESSAGE = new Set([31, ...wrapperFields.map(({ number }) => number)]);

const drawByte = fc.nat(255);
const drawBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
/** Texts in any script, and what looks like one. */
const drawText = fc.oneof(
  fc
    .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.nat(0x10_ffff)), { maxLength: 30 })
    .map((points) => Buffer.from(String.fromCodePoint(...points))),
  fc
    .constantFrom('😀', '👩🏽‍🚀', '\u0000', '\uffff', '\ufffe', '‮', '__proto__', 'काम', 'ไทย', '\u{20000}')
    .map((text) => Buffer.from(text)),
  // Half an emoji, and other bytes that no text has.
  fc.constantFrom('61eda0bd62', 'c0af', 'ff', 'f8888080', 'eda080edb080').map((hex) => Buffer.from(hex, 'hex')),
  drawBytes,
);
const drawNumber = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 ** 29 - 1 }));
const drawField: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...messageFields), fc.constantFrom('', 'a', '😀'))
  .map(([definition, text]: [FieldDefinition, string]) => fillField(definitions, definition, text));

const drawMutation = fc.tuple(fc.constantFrom('flip', 'cut', 'insert', 'double', 'drop'), fc.nat(4_000), drawByte);

function mutate(bytes: Buffer, [how, place, byte]: readonly [string, number, number]): Buffer {
  const at = bytes.length === 0 ? 0 : place % bytes.length;
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (how === 'flip') return Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]);
  if (how === 'cut') return before;
  if (how === 'insert') return Buffer.concat([before, Buffer.from([byte]), after]);
  if (how === 'double') return Buffer.concat([bytes, after]);
  return Buffer.concat([before, after.subarray(1 + (byte % 8))]);
}

function nest(inner: Buffer, wrappers: readonly FieldDefinition[], depth: number): Buffer {
  // Built as the headers that stand before the innermost: copying each level would take the square of the depth.
  const headers: Buffer[] = [];
  let length = inner.length;
  for (let level = 0; level < depth; level += 1) {
    const { number } = wrappers[level % wrappers.length] ?? { number: 40 };
    const message = Buffer.concat([varint(10), varint(length)]);
    const header = Buffer.concat([varint(number * 8 + 2), varint(length + message.length), message]);
    headers.unshift(header);
    length += header.length;
  }
  return Buffer.concat([...headers, inner]);
}

const drawKinds: Readonly<Record<PlaintextKind, fc.Arbitrary<Buffer>>> = {
  random: drawBytes,
  text: fc.tuple(fc.constantFrom(1, 6), drawText, fc.integer({ min: 1, max: 400 })).map(([number, text, times]) => {
    // One in forty is long.
    const long = times <= 10 ? Buffer.concat(Array.from({ length: times * 200 }, () => text)) : text;
    return field(number, number === 1 ? long : field(1, long));
  }),
  field: drawField,
  mutated: fc
    .tuple(
      fc.oneof(
        drawField,
        drawText.map((text) => field(1, text)),
      ),
      fc.array(drawMutation, { minLength: 1, maxLength: 4 }),
    )
    .map(([bytes, mutations]) => mutations.reduce<Buffer>(mutate, bytes)),
  nested: fc
    .tuple(
      fc.oneof(
        drawField,
        drawText.map((text) => field(1, text)),
      ),
      fc.array(fc.constantFrom(...wrapperFields), { minLength: 1, maxLength: 4 }),
      fc.oneof(
        { weight: 30, arbitrary: fc.integer({ min: 1, max: 9 }) },
        { weight: 1, arbitrary: fc.constantFrom(100, 3_000) },
      ),
    )
    .map(([inner, wrappers, depth]) => nest(inner, wrappers, depth)),
  unknown: fc
    .array(fc.tuple(drawNumber, fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7), drawBytes), { minLength: 1, maxLength: 6 })
    .map((fields) =>
      Buffer.concat(
        fields.map(([number, wireType, bytes]) => {
          const tag = varint(number * 8 + wireType);
          if (wireType === 0) return Buffer.concat([tag, varint(bytes.length)]);
          if (wireType === 2) return field(number, bytes);
          return Buffer.concat([
            tag,
            wireType === 1 ? Buffer.alloc(8) : wireType === 5 ? Buffer.alloc(4) : Buffer.alloc(0),
          ]);
        }),
      ),
    ),
  lying: fc
    .tuple(
      drawNumber,
      fc.constantFrom(0n, 1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 64n - 1n),
      drawBytes,
    )
    .map(([number, length, bytes]) => Buffer.concat([varint(number * 8 + 2), varint(length), bytes])),
};

const drawPlaintext: fc.Arbitrary<Plaintext> = fc
  .tuple(fc.constantFrom(...(Object.keys(drawKinds) as PlaintextKind[])), fc.nat(19))
  .chain(([kind, padding]) => drawKinds[kind].map((bytes) => ({ kind, bytes, isPadded: padding > 0 })));

/** Plaintexts are drawn this many at a time: what went wrong is found again by the seed and the number of its lot. */
export const LOT = 1_000;

/** One lot of plaintexts: the same seed and number give the same ones. */
export function drawLot(seed: number, lot: number, count = LOT): readonly Plaintext[] {
  // Numbers of lots are small and seeds are neighbours: far apart, so that no two runs share a lot.
  return fc.sample(drawPlaintext, { seed: (Math.imul(seed, 0x9e37_79b1) + lot) | 0, numRuns: count });
}

/** How many events a plaintext must give. */
export function eventsOf({ bytes, isPadded, gives }: Plaintext): Gives {
  return gives ?? (isPadded ? eventsFor(bytes) : 'at_most_one');
}

/** One, unless every field is between devices, or a wrapper of something that may be: from outside no more can be seen. */
export function eventsFor(bytes: Uint8Array): Gives {
  const numbers = fieldNumbers(bytes);
  if (numbers === undefined) return 'one';
  return numbers.every((number) => BOOKKEEPING.includes(number) || HOLDS_A_MESSAGE.has(number)) ? 'at_most_one' : 'one';
}

/** Plaintexts that every run has, whatever its seed. */
export const knownPlaintexts: readonly Plaintext[] = [
  conversation('😀'),
  conversation('x'.repeat(70_000)),
  conversation('\u{1f600}'.repeat(66_000)),
  conversation('\u0001'.repeat(70_000)),
  Buffer.from([0x0a, 5, 0x61, 0xed, 0xa0, 0xbd, 0x62]),
  Buffer.concat([conversation(''), field(6, field(1, Buffer.from('extended')))]),
  field(40, field(1, field(6, field(1, Buffer.from('in a wrapper'))))),
  field(69, numberField(2, 1)),
  field(300, Buffer.from('x')),
  numberField(2 ** 29 - 1, 1),
  Buffer.alloc(1),
].map((bytes) => ({ kind: 'text', bytes, isPadded: true }));
