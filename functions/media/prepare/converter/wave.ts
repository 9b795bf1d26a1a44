import { ConversionError } from './conversionError.ts';

/** A part of a recording: one channel, samples between -1 and 1. */
export interface Sound {
  readonly samples: Float32Array;
  /** Samples a second. */
  readonly rate: number;
}

interface Format {
  readonly isFloat: boolean;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

const [FLOAT, EXTENSIBLE] = [3, 0xfffe];
const CHUNK_SAMPLES = 65_536;

/** Decodes a wave file of plain numbers. What its head says of sizes counts only as far as there are bytes. Throws {@link ConversionError}. */
export function* decodeWave(bytes: Buffer, mostSeconds: number): Generator<Sound> {
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString('latin1', at, at + 4);
    const said = bytes.readUInt32LE(at + 4);
    const from = at + 8;
    if (name === 'fmt ') format = formatOf(bytes.subarray(from, from + said));
    if (name === 'data') {
      if (format === undefined) throw new ConversionError('broken', 'the samples have no format in front of them');
      // A recorder that was cut off leaves no size, or all ones.
      yield* samplesOf(bytes.subarray(from, said === 0 ? bytes.length : from + said), format, mostSeconds);
      return;
    }
    at = from + said + (said % 2);
  }
  throw new ConversionError('broken', 'the file has no samples');
}

function formatOf(body: Buffer): Format {
  if (body.length < 16) throw new ConversionError('broken', 'the format breaks off');
  const tag = body.readUInt16LE(0);
  const kind = tag === EXTENSIBLE && body.length >= 26 ? body.readUInt16LE(24) : tag;
  const format = {
    isFloat: kind === FLOAT,
    channels: body.readUInt16LE(2),
    rate: body.readUInt32LE(4),
    bits: body.readUInt16LE(14),
  };
  const widths = format.isFloat ? [32, 64] : [8, 16, 24, 32];
  const isUsable = (kind === 1 || kind === FLOAT) && widths.includes(format.bits);
  if (!isUsable) throw new ConversionError('other_codec', 'the samples are packed');
  if (format.channels < 1 || format.channels > 32) throw new ConversionError('broken', 'no such number of channels');
  return format;
}

function* samplesOf(body: Buffer, format: Format, mostSeconds: number): Generator<Sound> {
  const { isFloat, channels, rate, bits } = format;
  const width = bits / 8;
  const read = readerOf(body, isFloat, width);
  const count = Math.floor(body.length / (width * channels));
  if (count > rate * mostSeconds && rate > 0) throw new ConversionError('too_long', `${count / rate} s`);
  for (let from = 0; from < count; from += CHUNK_SAMPLES) {
    const samples = Float32Array.from({ length: Math.min(CHUNK_SAMPLES, count - from) }, (_, place) => {
      let sum = 0;
      for (let channel = 0; channel < channels; channel += 1) {
        sum += read(((from + place) * channels + channel) * width);
      }
      const mean = sum / channels;
      return Number.isFinite(mean) ? Math.max(-1, Math.min(1, mean)) : 0;
    });
    yield { samples, rate };
  }
}

function readerOf(body: Buffer, isFloat: boolean, width: number): (at: number) => number {
  if (isFloat) return width === 4 ? (at) => body.readFloatLE(at) : (at) => body.readDoubleLE(at);
  // Bytes have no sign in wave files; all wider numbers have.
  if (width === 1) return (at) => (body.readUInt8(at) - 128) / 128;
  const most = 2 ** (8 * width - 1);
  return (at) => body.readIntLE(at, width) / most;
}
