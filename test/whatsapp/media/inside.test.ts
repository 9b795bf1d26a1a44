import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Head, readInside } from './inside.ts';
import type { Inside } from './insideShape.ts';
import { samples } from './sampleFiles.ts';
import { THUMBNAIL } from './thumbnail.ts';

const voice = { format: 'ogg', channels: 1, rate: 16_000, intact: true, seconds: 0.2935 } as const;
const film = { format: 'mp4', width: 320, height: 240, seconds: 1.5 } as const;
const found: Readonly<Record<keyof typeof samples, Inside>> = {
  voice60Ms: { ...voice, packetMs: [60], framesInPacket: [3], packetCodes: [3] },
  voice20Ms: { ...voice, packetMs: [20], framesInPacket: [1], packetCodes: [0] },
  lateIndexMp4: { ...film, indexFirst: false },
  earlyIndexMp4: { ...film, indexFirst: true },
  animatedWebp: { format: 'webp', width: 16, height: 16, animated: true, exif: false, frames: 3 },
  stickerWebp: { format: 'webp', width: 512, height: 512, animated: false },
  smallPng: { format: 'png', width: 3, height: 2 },
};
const bytesOf = (name: keyof typeof samples): Buffer => Buffer.from(samples[name], 'base64');

describe('what a phone finds in the bytes of a file', () => {
  it.each(Object.entries(found))('%s', (name, inside) => {
    expect(readInside(bytesOf(name as keyof typeof samples), true)).toEqual(inside);
  });

  it('is what JPEG, and formats that it only knows by their beginning, say', () => {
    expect(readInside(THUMBNAIL, true)).toEqual({ format: 'jpeg', width: 16, height: 16 });
    expect(readInside(Buffer.from('%PDF-1.7'), true)).toEqual({ format: 'pdf' });
    expect(readInside(Buffer.from('hello'), true)).toEqual({ format: 'unknown' });
  });

  it('is the same in whatever pieces a file comes', () => {
    const head = new Head();
    for (const byte of bytesOf('voice60Ms')) head.update(Buffer.from([byte]));

    expect(head.read()).toEqual(found.voice60Ms);
  });

  it('is a page that is not intact, where one bit of the sound is wrong', () => {
    const broken = bytesOf('voice60Ms');
    broken[broken.length - 5] = (broken.at(-5) ?? 0) ^ 1;

    expect(readInside(broken, true)).toMatchObject({ format: 'ogg', intact: false });
  });

  it('never is an error, however a file was cut or changed', () => {
    const names = fc.constantFrom(...(Object.keys(samples) as (keyof typeof samples)[]));
    const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(names, fc.nat(), fc.array(change, { maxLength: 8 }), (name, length, changes) => {
        const bytes = bytesOf(name);
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        expect(readInside(bytes.subarray(0, length % (bytes.length + 1)), true)).toHaveProperty('format');
      }),
      { numRuns: 500 },
    );
  });
});
