import * as fc from 'fast-check';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { scan, type WireField } from '../../../shared/wire/protobufFields.ts';

function fieldsOf(bytes: Uint8Array): readonly WireField[] | 'malformed' {
  const fields: WireField[] = [];
  return scan(bytes, (field) => fields.push(field)) === 'whole' ? fields : 'malformed';
}

describe('protobuf on the wire', () => {
  it('is read field by field, in its order', () => {
    const bytes = Buffer.from([0x0a, 2, 0x68, 0x69, 0x10, 0x96, 0x01, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]);

    expect(fieldsOf(bytes)).toEqual([
      { number: 1, wireType: 2, bytes: expect.objectContaining({ length: 2 }), value: 0 },
      { number: 2, wireType: 0, bytes: new Uint8Array(0), value: 150 },
      { number: 3, wireType: 5, bytes: expect.objectContaining({ length: 4 }), value: 0 },
      { number: 4, wireType: 1, bytes: expect.objectContaining({ length: 8 }), value: 0 },
    ]);
  });

  it('is read past a group, and tells nothing of what is in it', () => {
    const bytes = Buffer.from([0x0b, 0x12, 1, 0x61, 0x0c, 0x1a, 0]);

    expect(fieldsOf(bytes)).toMatchObject([
      { number: 1, wireType: 3 },
      { number: 3, wireType: 2 },
    ]);
  });

  it.each<readonly [what: string, bytes: readonly number[]]>([
    ['a field that ends too soon', [0x0a, 5, 1]],
    ['a field without its content', [0x0a]],
    ['a number that does not end', [0x08, 0x80]],
    ['a number of eleven bytes', [0x08, ...Array.from({ length: 10 }, () => 0x80), 1]],
    ['a length of two to the sixty-third', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['field 0', [0x02, 0]],
    ['a field of more than 29 bits', [0x82, 0x80, 0x80, 0x80, 0x10, 0]],
    ['a kind of field that there is none of', [0x0e]],
    ['a group that does not end', [0x0b]],
    ['a group that ends as another', [0x0b, 0x14]],
    ['an end without a group', [0x0c]],
    ['eight thousand groups, each in the other', Array.from({ length: 8_000 }, () => 0x0b)],
    ['a fixed field that ends too soon', [0x0d, 1, 2, 3]],
  ])('is malformed with %s', (_what, bytes) => {
    expect(fieldsOf(Buffer.from(bytes))).toBe('malformed');
  });

  it('never throws, whatever the bytes', () => {
    const looks = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(['whole', 'malformed']).toContain(scan(bytes, () => undefined));
    });
    expect(() => fc.assert(looks, { numRuns: 5_000 })).not.toThrow();
  });

  it('finds whole whatever Baileys writes, and never takes more than it is given', () => {
    const looks = fc.property(fc.string(), fc.string(), fc.nat(), (conversation, text, cut) => {
      const bytes = proto.Message.encode({ conversation, extendedTextMessage: { text } }).finish();
      expect(fieldsOf(bytes)).toMatchObject([{ number: 1 }, { number: 6 }]);
      const read = fieldsOf(bytes.subarray(0, cut % bytes.length));
      expect(read === 'malformed' || read.length < 2).toBe(true);
    });
    expect(() => fc.assert(looks, { numRuns: 500 })).not.toThrow();
  });
});
