import { assert, nat, oneof, property, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { THUMBNAIL_BYTES, toThumbnail } from '../../../shared/content/thumbnail.ts';
import { THUMBNAIL } from '../../whatsapp/media/thumbnail.ts';

const plain = toThumbnail(THUMBNAIL) ?? new Uint8Array();
const segment = (marker: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 0xff]), body]);
/** The picture with something put in before all else, and something behind it. */
const dressed = (before: Uint8Array, behind: Uint8Array = new Uint8Array()): Buffer =>
  Buffer.concat([THUMBNAIL.subarray(0, 2), before, THUMBNAIL.subarray(2), behind]);
/** The place of the frame in the plain picture. */
const frameAt = Buffer.from(plain).indexOf(Buffer.from([0xff, 0xc0]));

describe('the small picture of a file', () => {
  it('is what draws it, and comes to the same again', () => {
    expect(plain.length).toBeGreaterThan(50);
    expect(plain.length).toBeLessThanOrEqual(THUMBNAIL.length);
    expect(toThumbnail(plain)).toEqual(plain);
  });

  it.each([0xe0, 0xe1, 0xe2, 0xed, 0xee, 0xef, 0xfe])('loses what programs and people add (marker %i)', (marker) => {
    expect(toThumbnail(dressed(segment(marker, Buffer.from('<script>'))))).toEqual(plain);
  });

  it('loses what stands behind it', () => {
    expect(toThumbnail(dressed(new Uint8Array(), Buffer.from('<script>')))).toEqual(plain);
  });

  it.each<[string, Uint8Array | undefined]>([
    ['nothing', undefined],
    ['no bytes', new Uint8Array()],
    ['a page', Buffer.from('<html>')],
    ['a PNG', Buffer.from('iVBORw0KGgo=', 'base64')],
    ['no more than the beginning', THUMBNAIL.subarray(0, 2)],
    ['without its end', plain.subarray(0, plain.length - 2)],
    ['without what is drawn', Buffer.concat([plain.subarray(0, 2), Buffer.from([0xff, 0xd9])])],
    ['with a frame of lossless pictures', dressed(segment(0xc3, Buffer.alloc(9, 8)))],
    ['with two frames', dressed(plain.subarray(frameAt, frameAt + 19))],
    ['too large', dressed(new Uint8Array(), Buffer.alloc(THUMBNAIL_BYTES))],
    ['one that says it is enormous', enormous()],
  ])('is none where it is %s', (_what, given) => {
    expect(toThumbnail(given)).toBeUndefined();
  });

  it('never has more than it was given, nor anything that it was not, and ends for any bytes', () => {
    const mutilated = tuple(nat(THUMBNAIL.length - 1), nat(255), nat(THUMBNAIL.length)).map(([at, byte, length]) => {
      const bytes = Buffer.from(THUMBNAIL);
      bytes[at] = byte;
      return bytes.subarray(0, length);
    });
    assert(
      property(oneof(mutilated, uint8Array({ maxLength: 64 })), (given) => {
        const small = toThumbnail(given);
        if (small === undefined) return;
        expect(small.length).toBeLessThanOrEqual(given.length);
        expect([...small.subarray(0, 2), ...small.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
        expect(toThumbnail(small)).toEqual(small);
      }),
    );
  });
});

function enormous(): Buffer {
  const bytes = Buffer.from(plain);
  bytes.writeUInt16BE(60_000, frameAt + 5);
  return bytes;
}
