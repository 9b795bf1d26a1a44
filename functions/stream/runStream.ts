import { Stop } from '../../shared/kernel/clock.ts';
import type { StreamPlace, StreamPlaces } from '../../shared/event/streamPlaces.ts';
import type { LogFields } from '../../shared/platform/logger.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { beatFrame, endFrame, openingFrame, type StreamEnd } from './frames.ts';
import type { StreamReader } from './streamReader.ts';

/** The way to the client of a stream. */
export interface StreamOutput {
  /**
   * Hands text over, and waits until there is room for more: `slow` when that took too long, `gone` when the client has
   * closed the connection. Never rejects.
   */
  readonly write: (text: string) => Promise<'taken' | 'slow' | 'gone'>;
}

/** A stream as others see it who may have to end it. */
export interface StreamControl {
  /** Why the stream is to end; undefined while it is not. */
  ending: 'gone' | StreamEnd | undefined;
  /** What the stream waits on at the moment, if it waits. */
  wait: Stop | undefined;
}

export interface StreamParts extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly reader: StreamReader;
  readonly places: Pick<StreamPlaces, 'keep'>;
  readonly place: StreamPlace;
  readonly lookEveryMs: number;
  readonly lastsMs: number;
  /** Whether the key of the stream still opens it. Rejects when that is not known. */
  readonly isStillOpen: () => Promise<boolean>;
  /** Tells how many streams are open: a gauge that is not told again falls silent. */
  readonly told: () => void;
  readonly fields: LogFields;
}

/** How often a stream on which nothing happens says that it is there, in milliseconds. */
export const BEAT_MS = 15_000;
/**
 * How long a key is not looked at again, in milliseconds. A stream looks up at least at each beat, so it is open for at most
 * a beat, this time and the memory of the function longer than its key: less than half a minute in all.
 */
const KEY_EVERY_MS = BEAT_MS / 2;
/** How long the place of a stream is held when its process dies, in milliseconds, and how often it is held anew. */
export const PLACE_MS = 180_000;
const KEEP_EVERY_MS = 75_000;

/** Ends a stream soon: it tells its client why, and closes. */
export function endStream(control: StreamControl, reason: 'gone' | StreamEnd): void {
  control.ending ??= reason;
  control.wait?.abort();
}

/**
 * Tells a client events until the stream ends. Returns why. Never rejects.
 *
 * - The process dies: the client connects again with the id of the last event that it has, and goes on behind it.
 * - The client does not read: no more is read of the log than one chunk, and the stream ends when that is not taken in time.
 * - The log cannot be read: the stream ends, and the client comes back to it or to another process.
 */
export async function runStream(
  parts: StreamParts,
  control: StreamControl,
  output: StreamOutput,
): Promise<'gone' | StreamEnd> {
  const { clock, reader, lastsMs } = parts;
  const startedMs = clock.monotonicMs();
  const times = {
    beatAtMs: startedMs + BEAT_MS,
    keepAtMs: startedMs + KEEP_EVERY_MS,
    keyAtMs: startedMs + KEY_EVERY_MS,
    endAtMs: startedMs + lastsMs,
  };
  let text = openingFrame(reader.cursor);
  for (;;) {
    if (text !== '') {
      const written = await output.write(text);
      if (written === 'gone') return 'gone';
      if (written === 'slow') return 'slow_reader';
      times.beatAtMs = clock.monotonicMs() + BEAT_MS;
    }
    await keepPlace(parts, control, times);
    await checkKey(parts, control, times);
    if (clock.monotonicMs() >= times.endAtMs) control.ending ??= 'time';
    if (control.ending !== undefined) return sayEnd(control.ending, output);
    const next = await readNext(parts, control);
    text = next.text;
    if (text !== '' || next.hasMore) continue;
    await waitForMore(parts, control, times);
    if (clock.monotonicMs() >= times.beatAtMs) text = beatFrame(reader.cursor);
  }
}

interface StreamTimes {
  beatAtMs: number;
  keepAtMs: number;
  keyAtMs: number;
  readonly endAtMs: number;
}

async function sayEnd(reason: 'gone' | StreamEnd, output: StreamOutput): Promise<'gone' | StreamEnd> {
  if (reason !== 'gone') await output.write(endFrame(reason));
  return reason;
}

async function readNext(
  { reader, logger, fields }: StreamParts,
  control: StreamControl,
): Promise<{ readonly text: string; readonly hasMore: boolean }> {
  try {
    return await reader.next();
  } catch (error) {
    logger.warn('event log could not be read for a stream', { ...fields, error });
    control.ending ??= 'unavailable';
    return { text: '', hasMore: true };
  }
}

/** Waits for the next event, or until there is something else to do. */
async function waitForMore(
  { clock, reader, lookEveryMs }: StreamParts,
  control: StreamControl,
  times: StreamTimes,
): Promise<void> {
  const { feed } = reader;
  const stop = new Stop();
  // What has happened since the reader looked would not wake it any more.
  if (reader.hasNews || control.ending !== undefined) return;
  control.wait = stop;
  feed?.wakes(stop);
  const untilMs = Math.min(times.beatAtMs, times.keepAtMs, times.endAtMs);
  const longestMs = feed === undefined ? lookEveryMs : Infinity;
  await clock.sleep(Math.min(longestMs, Math.max(0, untilMs - clock.monotonicMs())), stop);
  feed?.wakesNoMore(stop);
  control.wait = undefined;
}

/** Holds the place of the stream anew when it is time. A write that fails is made again; the place has time left. */
async function keepPlace(
  { clock, places, place, logger, fields }: StreamParts,
  control: StreamControl,
  times: StreamTimes,
): Promise<void> {
  if (clock.monotonicMs() < times.keepAtMs) return;
  times.keepAtMs = clock.monotonicMs() + KEEP_EVERY_MS;
  try {
    if ((await places.keep(place)) === 'lost') control.ending ??= 'place_lost';
  } catch (error) {
    logger.warn('place of a stream could not be kept', { ...fields, error });
  }
}

/** Ends a stream whose key opens nothing any more. Where that is not known, the next look tells. */
async function checkKey(
  { clock, isStillOpen, told, logger, fields }: StreamParts,
  control: StreamControl,
  times: StreamTimes,
): Promise<void> {
  if (clock.monotonicMs() < times.keyAtMs) return;
  times.keyAtMs = clock.monotonicMs() + KEY_EVERY_MS;
  told();
  try {
    if (!(await isStillOpen())) control.ending ??= 'key_ended';
  } catch (error) {
    logger.warn('key of a stream could not be looked at', { ...fields, error });
  }
}
