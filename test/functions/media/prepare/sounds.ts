/** Sounds as files, made by code. */

/** A wave file of 16 bits. @param sampleAt of a channel, between -1 and 1, at a time in seconds */
export function waveOf(
  seconds: number,
  sampleAt: (seconds: number) => number,
  { rate = 44_100, channels = 1 }: { readonly rate?: number; readonly channels?: number } = {},
): Buffer {
  const count = Math.round(seconds * rate);
  const data = Buffer.alloc(count * channels * 2);
  for (let place = 0; place < count * channels; place += 1) {
    data.writeInt16LE(Math.round(sampleAt(Math.floor(place / channels) / rate) * 32_767), place * 2);
  }
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * channels * 2, 8);
  format.writeUInt16LE(channels * 2, 12);
  format.writeUInt16LE(16, 14);
  return riff('WAVE', [
    ['fmt ', format],
    ['data', data],
  ]);
}

/** A file of chunks, each with its name and size. */
export function riff(form: string, chunks: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = chunks.flatMap(([name, body]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return [Buffer.from(name, 'latin1'), size, body, Buffer.alloc(body.length % 2)];
  });
  const body = Buffer.concat([Buffer.from(form, 'latin1'), ...parts]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from('RIFF'), size, body]);
}

/** A tone that swells: silent at both ends, loudest in the middle. */
export const swelling =
  (length: number) =>
  (seconds: number): number =>
    0.8 * Math.sin(2 * Math.PI * 440 * seconds) * Math.sin((Math.PI * seconds) / length);
