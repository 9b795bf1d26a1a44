import { closeSync, openSync, readSync } from 'node:fs';
import {
  ADTS,
  Conversion,
  EncodedPacketSink,
  FilePathSource,
  FilePathTarget,
  FLAC,
  Input,
  MATROSKA,
  MP3,
  MP4,
  Mp4OutputFormat,
  OGG,
  Output,
  QTFF,
  WAVE,
  WEBM,
  type InputFormat,
} from 'mediabunny';
import { ConversionError } from './conversionError.ts';

/** The formats that are read. Lists that name other files, which the library knows too, are not among them. */
const FORMATS: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, OGG, MP3, WAVE, ADTS, FLAC];

/** What the heads of a film or a sound say. */
export interface Film {
  /** Codecs by their common names, such as `avc`; absent where there is no track. */
  readonly video?: string | undefined;
  readonly audio?: string | undefined;
  /** In pixels, as it is shown. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly seconds: number;
  /** Whether a player can begin before it has all of it. */
  readonly isIndexFirst: boolean;
}

/** Reads the heads of a file. Throws {@link ConversionError}. */
export function lookAtFilm(path: string): Promise<Film> {
  return withInput(path, async (input) => {
    const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()]);
    if (video === null && audio === null) throw new ConversionError('broken', 'there is no track');
    const seconds = await input.computeDuration();
    return {
      ...(video === null
        ? {}
        : {
            video: (await video.getCodec()) ?? 'unknown',
            width: await video.getDisplayWidth(),
            height: await video.getDisplayHeight(),
          }),
      ...(audio === null ? {} : { audio: (await audio.getCodec()) ?? 'unknown' }),
      seconds: Number.isFinite(seconds) ? Math.max(0, seconds) : 0,
      isIndexFirst: isIndexFirst(path),
    };
  });
}

/** Writes a film anew as MP4 with its index in front. Its pictures and sounds are the same bytes. Throws {@link ConversionError}. */
export function writeAsMp4(path: string, out: string): Promise<void> {
  return withInput(path, async (input) => {
    const output = new Output({
      format: new Mp4OutputFormat({ fastStart: 'in-memory' }),
      target: new FilePathTarget(out),
    });
    // Place, time and name of the device, which cameras write down, stay behind.
    const conversion = await Conversion.init({ input, output, tracks: 'primary', tags: {}, showWarnings: false });
    if (!conversion.isValid || conversion.discardedTracks.length > 0) {
      throw new ConversionError('other_codec', 'a track does not fit into MP4 as it is');
    }
    await conversion.execute();
  });
}

/** The packets of the first sound of a file, in order. Throws {@link ConversionError}. */
export function soundPacketsOf(
  path: string,
  mostPackets: number,
): Promise<{ readonly codec: string; readonly packets: readonly Uint8Array[] }> {
  return withInput(path, async (input) => {
    const track = await input.getPrimaryAudioTrack();
    if (track === null) throw new ConversionError('no_sound', 'there is no track of sound');
    const codec = (await track.getCodec()) ?? 'unknown';
    if (codec !== 'opus') return { codec, packets: [] };
    const packets: Uint8Array[] = [];
    for await (const { data } of new EncodedPacketSink(track).packets()) {
      packets.push(Uint8Array.from(data));
      if (packets.length > mostPackets) throw new ConversionError('too_long', 'there are more packets');
    }
    return { codec, packets };
  });
}

async function withInput<Result>(path: string, look: (input: Input) => Promise<Result>): Promise<Result> {
  const source = new FilePathSource(path, { handleUnhandledError: () => undefined });
  const input = new Input({ source, formats: FORMATS });
  try {
    return await look(input);
  } catch (error) {
    if (error instanceof ConversionError || isOfDisk(error)) throw error;
    throw new ConversionError('broken', 'the file cannot be read', { cause: error });
  } finally {
    input.dispose();
  }
}

/** An error of the system, such as a disk that is full, is none of the file. */
const isOfDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && typeof error.syscall === 'string';

/** How many boxes are looked at; films have three or four of the first rank. */
const MOST_BOXES = 256;

/** Whether the index of an MP4 stands in front of what it leads to. Files of another kind have it where it belongs. */
function isIndexFirst(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(16);
    for (let [at, boxes] = [0, 0]; boxes < MOST_BOXES; boxes += 1) {
      if (readSync(file, head, 0, 16, at) < 8) return true;
      const name = head.toString('latin1', 4, 8);
      if (name === 'moov') return true;
      if (name === 'mdat') return false;
      const said = head.readUInt32BE(0);
      const size = said === 1 ? Number(head.readBigUInt64BE(8)) : said;
      if (size < 8) return true;
      at += size;
    }
    return true;
  } finally {
    closeSync(file);
  }
}
