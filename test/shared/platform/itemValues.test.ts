import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromStoredMap, toStored, toStoredMap, type StoredValue } from '../../../shared/platform/itemValues.ts';

/** Any name but the one that the SDK loses; callers may not give names of that kind. */
const name = fc.string().filter((text) => text !== '__proto__');
/** What our items hold, at any depth. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => Math.abs(number) <= Number.MAX_SAFE_INTEGER),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.uint8Array({ maxLength: 40 }),
    fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 3 }).map((texts) => new Set(texts)),
    fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 3 }).map((numbers) => new Set(numbers)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
}));
const item = fc.dictionary(name, value, { maxKeys: 6 }) as fc.Arbitrary<Record<string, unknown>>;

/** The SDK's form, as it goes over the wire: bytes are base64 there. */
function wireOf(stored: unknown): unknown {
  return JSON.parse(
    JSON.stringify(stored, (_name, member: unknown) => {
      const bytes = member as { readonly B?: unknown } | undefined;
      return bytes?.B instanceof Uint8Array ? { B: Buffer.from(bytes.B).toString('base64') } : member;
    }),
  );
}

describe('the stored form of an item', () => {
  it('always is the one that the SDK makes', () => {
    fc.assert(
      fc.property(item, (each) => {
        const theirs = marshall(each, { removeUndefinedValues: true });

        expect(JSON.parse(JSON.stringify(toStoredMap(each)))).toEqual(wireOf(theirs));
      }),
    );
  });

  it('always is read as the SDK reads it', () => {
    fc.assert(
      fc.property(item, (each) => {
        const theirs = marshall(each, { removeUndefinedValues: true });

        const read = fromStoredMap(wireOf(theirs) as Record<string, StoredValue>);

        expect(read).toEqual(unmarshall(theirs));
      }),
    );
  });

  it('reads whole numbers exactly that a number could not hold', () => {
    expect(fromStoredMap({ n: { N: '9007199254740993' } })).toEqual({ n: 9_007_199_254_740_993n });
  });

  it.each([
    ['a number that is not one', Number.NaN],
    ['a number without an end', Number.POSITIVE_INFINITY],
    ['a number that would not come back', 2 ** 53],
    ['an empty set', new Set()],
    ['an object of a class', new Date(0)],
    ['a symbol', Symbol('x')],
  ])('refuses %s, as the SDK does', (_name, value) => {
    expect(() => toStored(value)).toThrow(TypeError);
    expect(() => marshall({ value }, { removeUndefinedValues: true })).toThrow(Error);
  });
});
