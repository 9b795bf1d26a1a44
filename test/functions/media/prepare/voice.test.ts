import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readOggOpus, writeOggOpus } from '../../../../functions/media/prepare/converter/ogg.ts';
import { OpusEncoding, opusForms } from '../../../../functions/media/prepare/converter/opusEncoding.ts';
import { framesOf, headOf, joinFrames } from '../../../../functions/media/prepare/converter/opusPackets.ts';
import { ffmpegHere, Preparing } from './preparing.ts';
import { swelling, waveOf } from './sounds.ts';

const preparing = new Preparing();
const folder = mkdtempSync(join(tmpdir(), 'holdfast-voice-'));
afterAll(() => {
  preparing.stop();
  rmSync(folder, { recursive: true, force: true });
});

const SECONDS = 4.3;
const wave = waveOf(SECONDS, swelling(SECONDS), { channels: 2 });

const find = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((place) => join(place, name))
    .find((file) => existsSync(file));
const [opusinfo, opusdec] = [find('opusinfo'), find('opusdec')];

/** A recording of one channel in Opus, as most encoders leave it: a frame of 20 ms in each packet. */
function usualOpus(): Buffer {
  const encoding = new OpusEncoding({ ...opusForms.voice, framesInPacket: 1 });
  encoding.add(Float32Array.from({ length: SECONDS * 16_000 }, (_, place) => swelling(SECONDS)(place / 16_000)));
  return encoding.finish();
}

/** A voice note speaks of what phones record: one channel, three frames of 20 ms in each packet, packed as code 3, of wide band. */
function expectVoice(file: Buffer): void {
  const found = readOggOpus(file, 100_000);
  expect(found?.channels).toBe(1);
  expect(found?.packets.length).toBeGreaterThanOrEqual(Math.floor(SECONDS / 0.06));
  for (const packet of found?.packets ?? []) {
    expect(headOf(packet[0] ?? 0)).toMatchObject({ code: 3, isStereo: false, frameMs: 20 });
    expect(framesOf(packet)).toHaveLength(3);
  }
  expect(file.readUInt32LE(file.indexOf('OpusHead') + 12)).toBe(16_000);
}

describe('voice notes', () => {
  it('are made of a recording in any form that is decoded here: three frames of 20 ms in each packet, 16 kHz, one channel', async () => {
    const made = await preparing.made(wave, 'voice');

    expectVoice(made.file);
    expect(made).toMatchObject({
      mimeType: 'audio/ogg; codecs=opus',
      seconds: 4,
      isConverted: true,
      bytes: made.file.length,
    });
    expect(preparing.left()).toEqual([]);
  });

  it('have bars as high as the mean of the absolute samples of each 64th, beside the loudest', async () => {
    const { waveform = '' } = await preparing.made(wave, 'voice');

    const bars = [...Buffer.from(waveform, 'base64')];
    const count = SECONDS * 16_000;
    const means = Array.from({ length: 64 }, (_, bar) => {
      const [from, to] = [Math.floor((bar * count) / 64), Math.floor(((bar + 1) * count) / 64)];
      let sum = 0;
      for (let place = from; place < to; place += 1) sum += Math.abs(swelling(SECONDS)(place / 16_000));
      return sum / (to - from);
    });
    const most = Math.max(...means);
    expect(bars).toHaveLength(64);
    for (const [bar, mean] of means.entries()) expect(Math.abs((bars[bar] ?? 0) - (100 * mean) / most)).toBeLessThan(3);
  });

  it('have no bars where nothing is heard', async () => {
    const { waveform = '', seconds } = await preparing.made(
      waveOf(0.4, () => 0),
      'voice',
    );

    expect(Buffer.from(waveform, 'base64')).toEqual(Buffer.alloc(64));
    expect(seconds).toBe(1);
  });

  it('are packed anew without a codec where the frames fit: not a byte of the sound changes', async () => {
    const usual = usualOpus();

    const made = await preparing.made(usual, 'voice');

    expectVoice(made.file);
    const frames = (file: Buffer) =>
      readOggOpus(file, 100_000)?.packets.flatMap(
        (packet) => framesOf(packet)?.map((frame) => Buffer.from(frame)) ?? [],
      ) ?? [];
    const [before, after] = [frames(usual), frames(made.file)];
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).every(({ length }) => length === 0)).toBe(true);
  });

  it('stay as they are when they are so already, as one that was received', async () => {
    const { file } = await preparing.made(wave, 'voice');

    const again = await preparing.made(file, 'voice');

    expect(again).toMatchObject({ isConverted: false, seconds: 4, file });
  });

  it.skipIf(opusinfo === undefined || opusdec === undefined)(
    'are read by the tools of others: packets of 60 ms, and the length of the recording (apt install opus-tools)',
    async () => {
      const path = join(folder, 'voice.ogg');
      writeFileSync(path, (await preparing.made(wave, 'voice')).file);

      const said = execFileSync(opusinfo ?? '', [path], { encoding: 'utf8', timeout: 30_000 });
      execFileSync(opusdec ?? '', ['--quiet', '--rate', '16000', path, join(folder, 'voice.wav')], { timeout: 30_000 });

      expect(said).toMatch(/60\.0ms \(max\), +60\.0ms \(avg\), +60\.0ms \(min\)/);
      expect(said).not.toMatch(/WARNING/);
      const decoded = readFileSync(join(folder, 'voice.wav'));
      const samples = (decoded.length - decoded.indexOf('data') - 8) / 2;
      expect(Math.abs(samples / 16_000 - SECONDS)).toBeLessThan(0.03);
      expect(correlation(decoded, samples)).toBeGreaterThan(0.95);
    },
  );

  it.skipIf(ffmpegHere === undefined)(
    'are made by ffmpeg of what is packed in another way (apt install ffmpeg)',
    async () => {
      const [from, to] = [join(folder, 'given.wav'), join(folder, 'given.m4a')];
      writeFileSync(from, wave);
      execFileSync(ffmpegHere ?? '', ['-nostdin', '-loglevel', 'error', '-y', '-i', from, to], { timeout: 60_000 });

      expectVoice((await preparing.made(readFileSync(to), 'voice')).file);
    },
  );

  it('say what is missing where a file needs ffmpeg and there is none, once in the log', async () => {
    const without = new Preparing({ ffmpeg: 'none' });
    const amr = Buffer.from('#!AMR\n0123456789');

    const outcomes = [await without.prepare(amr, 'voice'), await without.prepare(amr, 'voice')];

    expect(outcomes).toMatchObject([{ refused: 'needs_ffmpeg' }, { refused: 'needs_ffmpeg' }]);
    expect(without.logged).toHaveLength(1);
    expect(without.logged[0]).toMatch(/apt install ffmpeg/);
    without.stop();
  });
});

/** How alike a decoded recording is to the tone that was given, between -1 and 1, at the best shift within 20 ms. */
function correlation(decoded: Buffer, samples: number): number {
  const from = decoded.indexOf('data') + 8;
  const best = Array.from({ length: 64 }, (_, shift) => {
    let [both, left, right] = [0, 0, 0];
    for (let place = 4_000; place < samples - 4_000; place += 1) {
      const one = decoded.readInt16LE(from + place * 2);
      const other = swelling(SECONDS)((place + (shift - 32) / 4) / 16_000);
      both += one * other;
      left += one * one;
      right += other * other;
    }
    return both / Math.sqrt(left * right);
  });
  return Math.max(...best);
}

describe('Opus packets', () => {
  const frames = [3, 300, 0, 251, 252, 1_000].map((size, place) => Buffer.alloc(size, place + 1));

  it('come apart as they were joined', () => {
    const packet = joinFrames(0x48, frames.slice(0, 3));

    expect(framesOf(packet)?.map((frame) => Buffer.from(frame))).toEqual(frames.slice(0, 3));
    expect(framesOf(joinFrames(0x48, frames))?.map((frame) => Buffer.from(frame))).toEqual(frames);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', Buffer.alloc(0)],
    ['two frames of a size that cannot be', Buffer.from([0x49, 1, 2, 3])],
    ['a size that is longer than the packet', Buffer.from([0x4a, 200, 1])],
    ['no frames', Buffer.from([0x4b, 0])],
    ['more than 120 ms', Buffer.from([0x4b, 63, 0])],
    ['padding that is longer than the packet', Buffer.from([0x4b, 0x41, 255, 255, 255])],
    ['a size that breaks off', Buffer.from([0x4b, 0x82, 253])],
  ])('are refused when they are malformed: %s', (_name, packet) => {
    expect(framesOf(packet)).toBeUndefined();
  });

  it('are read of pages in whichever order of sizes, and pages with a wrong sum are left out', () => {
    const packets = [10, 255, 510, 0, 700].map((size) => Buffer.alloc(Math.max(1, size), 7));
    const file = writeOggOpus({ sampleRate: 16_000, preSkip: 312, packetMs: 60, heard: 1, packets });
    expect(readOggOpus(file, 100)?.packets).toEqual(packets);

    file[file.length - 1] = 8;

    expect(readOggOpus(file, 100)?.packets).toEqual([]);
  });
});
