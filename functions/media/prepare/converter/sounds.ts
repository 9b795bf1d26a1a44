import { readFileSync, writeFileSync } from 'node:fs';
import { Decoder } from '@evan/opus';
import type { FileType } from '../fileTypes.ts';
import { ConversionError } from './conversionError.ts';
import { soundPacketsOf } from './films.ts';
import { readOggOpus, writeOggOpus } from './ogg.ts';
import { FRAME_MS, OpusEncoding, opusForms } from './opusEncoding.ts';
import { framesOf, headOf, isWidebandAtMost, joinFrames } from './opusPackets.ts';
import { Resampler } from './resampler.ts';
import { decodeSound } from './soundDecoders.ts';
import type { Sound } from './wave.ts';
import { Loudness } from './waveform.ts';

export interface SoundJob {
  readonly path: string;
  readonly out: string;
  readonly type: FileType;
  readonly mostSeconds: number;
}

export interface SoundMade {
  /** How long it is, not rounded. */
  readonly seconds: number;
  /** In base64. */
  readonly waveform: string;
  /** Whether there is a file at `out`; otherwise the given one is as it should be. */
  readonly isConverted: boolean;
}

const { voice } = opusForms;
/** Decoded Opus has this rate, whatever it was made of. */
const OPUS_RATE = voice.rate;
/** Packets are at least 2.5 ms long. */
const PACKETS_IN_SECOND = 400;
/** Below and above, there are no recordings. */
const RATES = { least: 1_000, most: 384_000 } as const;

/**
 * Makes a voice note as phones record it. Opus whose frames fit is packed anew without a codec: nothing of its sound is lost. They fit
 * when they are of one channel, of 20 ms, and of wide band at most, which is what 16 kHz means in Opus; those of a wider band are
 * encoded again, since iPhones are said not to play them. Throws {@link ConversionError}.
 */
export async function makeVoice(job: SoundJob): Promise<SoundMade> {
  const opus = await opusOf(job);
  if (opus === undefined) return encode(job, decodeSound(job.path, job.type, job.mostSeconds), 'voice');
  const packed = packAnew(opus.packets);
  if (packed === undefined) return encode(job, decodeOpus(opus), 'voice');
  const heard = new Loudness();
  let samples = 0;
  for (const sound of decodeOpus(opus)) {
    heard.add(sound.samples);
    samples += sound.samples.length;
    checkLength(samples, OPUS_RATE, job);
  }
  const made = { seconds: samples / OPUS_RATE, waveform: Buffer.from(heard.waveform()).toString('base64') };
  if (packed === 'as it should be' && job.type === 'ogg_opus') return { ...made, isConverted: false };
  const packets = packed === 'as it should be' ? opus.packets : packed;
  const contents = { sampleRate: OPUS_RATE, preSkip: opus.preSkip, packetMs: 3 * FRAME_MS, packets };
  writeFileSync(job.out, writeOggOpus({ ...contents, heard: samples * (48_000 / OPUS_RATE) }));
  return { ...made, isConverted: true };
}

/** Makes a sound that phones play of one that they do not. Throws {@link ConversionError}. */
export async function makeAudio(job: SoundJob): Promise<SoundMade> {
  return encode(job, decodeSound(job.path, job.type, job.mostSeconds), 'audio');
}

interface Opus {
  readonly preSkip: number;
  readonly packets: readonly Uint8Array[];
}

async function opusOf({ path, type, mostSeconds }: SoundJob): Promise<Opus | undefined> {
  const mostPackets = mostSeconds * PACKETS_IN_SECOND;
  if (type === 'ogg_opus') {
    const found = readOggOpus(readFileSync(path), mostPackets);
    if (found === undefined || found.packets.length === 0) throw new ConversionError('broken', 'no packets of sound');
    return notTooLong(found, mostSeconds);
  }
  if (type !== 'matroska') return undefined;
  const { codec, packets } = await soundPacketsOf(path, mostPackets);
  if (codec !== 'opus') throw new ConversionError('other_codec', `the sound is ${codec}`);
  if (packets.length === 0) throw new ConversionError('broken', 'no packets of sound');
  return notTooLong({ preSkip: voice.preSkip, packets }, mostSeconds);
}

/** Refuses by the heads of packets what would be decoded for long. */
function notTooLong(opus: Opus, mostSeconds: number): Opus {
  const ms = opus.packets.reduce((sum, packet) => {
    return sum + (framesOf(packet)?.length ?? 0) * headOf(packet[0] ?? 0).frameMs;
  }, 0);
  if (ms > mostSeconds * 1_000) throw new ConversionError('too_long', `${ms / 1_000} s`);
  return opus;
}

/** Packets of three frames each; undefined when the frames do not fit. */
function packAnew(packets: readonly Uint8Array[]): readonly Uint8Array[] | 'as it should be' | undefined {
  const frames: { readonly toc: number; readonly body: Uint8Array }[] = [];
  let isPacked = true;
  for (const packet of packets) {
    const toc = packet[0] ?? 0;
    const { config, isStereo, code, frameMs } = headOf(toc);
    const bodies = framesOf(packet);
    if (bodies === undefined || isStereo || frameMs !== FRAME_MS || !isWidebandAtMost(config)) return undefined;
    isPacked &&= code === 3 && bodies.length === voice.framesInPacket;
    frames.push(...bodies.map((body) => ({ toc, body })));
  }
  if (isPacked) return 'as it should be';
  const made: Uint8Array[] = [];
  for (let from = 0; from < frames.length; from += voice.framesInPacket) {
    const some = frames.slice(from, from + voice.framesInPacket);
    const toc = some[0]?.toc ?? 0;
    if (some.some((frame) => frame.toc >> 2 !== toc >> 2)) return undefined;
    // A frame without bytes is one of silence.
    const bodies = Array.from({ length: voice.framesInPacket }, (_, place) => some[place]?.body ?? new Uint8Array(0));
    made.push(joinFrames(toc, bodies));
  }
  return made;
}

function* decodeOpus({ preSkip, packets }: Opus): Generator<Sound> {
  const decoder = new Decoder({ channels: 1, sample_rate: OPUS_RATE });
  let skipped = Math.round((preSkip * OPUS_RATE) / 48_000);
  for (const packet of packets) {
    const samples = decodePacket(decoder, packet);
    const from = Math.min(skipped, samples.length);
    skipped -= from;
    yield { samples: samples.subarray(from), rate: OPUS_RATE };
  }
}

/** A packet that cannot be decoded is as silent as one that never came. */
function decodePacket(decoder: Decoder, packet: Uint8Array): Float32Array {
  try {
    const bytes = decoder.decode(packet);
    const whole = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    return Float32Array.from(whole, (sample) => sample / 32_768);
  } catch {
    return new Float32Array(0);
  }
}

async function encode(
  job: SoundJob,
  sounds: Iterable<Sound> | AsyncIterable<Sound>,
  as: keyof typeof opusForms,
): Promise<SoundMade> {
  const form = opusForms[as];
  const [encoding, heard] = [new OpusEncoding(form), new Loudness()];
  let samples = 0;
  const take = (some: Float32Array): void => {
    encoding.add(some);
    heard.add(some);
    samples += some.length;
    checkLength(samples, form.rate, job);
  };
  let present: { readonly rate: number; readonly resampler: Resampler | undefined } | undefined;
  for await (const { samples: some, rate } of sounds) {
    if (some.length === 0) continue;
    if (rate < RATES.least || rate > RATES.most) throw new ConversionError('broken', `${rate} samples a second`);
    if (present?.rate !== rate) {
      if (present?.resampler !== undefined) take(present.resampler.end());
      present = { rate, resampler: rate === form.rate ? undefined : new Resampler(rate, form.rate) };
    }
    take(present.resampler?.push(some) ?? some);
  }
  if (present?.resampler !== undefined) take(present.resampler.end());
  if (samples === 0) throw new ConversionError('broken', 'no sound could be decoded');
  writeFileSync(job.out, encoding.finish());
  const waveform = Buffer.from(heard.waveform()).toString('base64');
  return { seconds: samples / form.rate, waveform, isConverted: true };
}

function checkLength(samples: number, rate: number, { mostSeconds }: SoundJob): void {
  if (samples > mostSeconds * rate) throw new ConversionError('too_long', `longer than ${mostSeconds} s`);
}
