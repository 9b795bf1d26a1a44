import { readFileSync } from 'node:fs';
import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { MPEGDecoder } from 'mpg123-decoder';
import type { FileType } from '../fileTypes.ts';
import { decodeWave, type Sound } from './wave.ts';

/** What the libraries of sound say of a part. */
interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly sampleRate: number;
}

interface ChunkDecoder {
  readonly ready: Promise<void>;
  readonly decode: (chunk: Uint8Array) => Decoded | Promise<Decoded>;
  readonly flush?: () => Promise<Decoded>;
}

/** Decoders that take a file in parts; each is there for one file. */
const decoders: Readonly<Partial<Record<FileType, () => ChunkDecoder>>> = {
  mp3: () => new MPEGDecoder(),
  flac: () => new FLACDecoder(),
  ogg_vorbis: () => new OggVorbisDecoder(),
};
const CHUNK = 65_536;

/** The sound of a file as it is decoded, of all channels in one. What is damaged in it is left out. */
export async function* decodeSound(path: string, type: FileType, mostSeconds: number): AsyncGenerator<Sound> {
  const bytes = readFileSync(path);
  const make = decoders[type];
  if (make === undefined) {
    yield* decodeWave(bytes, mostSeconds);
    return;
  }
  const decoder = make();
  await decoder.ready;
  for (let from = 0; from < bytes.length; from += CHUNK) {
    yield toSound(await decoder.decode(bytes.subarray(from, from + CHUNK)));
  }
  if (decoder.flush !== undefined) yield toSound(await decoder.flush());
}

function toSound({ channelData, samplesDecoded, sampleRate }: Decoded): Sound {
  const samples = new Float32Array(samplesDecoded);
  for (const channel of channelData) {
    for (let place = 0; place < samplesDecoded; place += 1) {
      samples[place] = (samples[place] ?? 0) + (channel[place] ?? 0) / channelData.length;
    }
  }
  return { samples, rate: sampleRate };
}
