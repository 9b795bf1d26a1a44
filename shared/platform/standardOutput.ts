import pino from 'pino';
import { systemClock, type Clock } from '../kernel/clock.ts';
import { freezesBetweenCalls } from './config.ts';

/**
 * The lines of this process on standard output, several in one write: each write is a call to the system, and wakes the
 * process that reads.
 *
 * - The process ends, also by an error that nothing has caught: what is gathered is written first.
 * - The process is killed: the lines of the last {@link GATHER_MS} are lost, and no warning or error among them, as a
 *   log writes those at once.
 * - The process is frozen, as a function of Lambda is between two calls: there each line is written at once.
 * - The reader does not read: the write waits until it does, as any write of a log does.
 */
export class GatheredLines {
  readonly #write: (text: string) => void;
  readonly #clock: Pick<Clock, 'sleep'>;
  #text = '';
  #isGathering: boolean;
  #isAwaited = false;

  constructor(options: {
    readonly write: (text: string) => void;
    readonly clock: Pick<Clock, 'sleep'>;
    readonly isGathering: boolean;
  }) {
    this.#write = options.write;
    this.#clock = options.clock;
    this.#isGathering = options.isGathering;
  }

  /** Takes a line with its end. */
  write(line: string): void {
    this.#text += line;
    if (!this.#isGathering || this.#text.length >= MOST_CHARACTERS) this.flush();
    else if (!this.#isAwaited) void this.#flushLater();
  }

  /** Writes what is gathered. */
  flush(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#write(text);
  }

  /** Writes what is gathered, and from now on each line at once. */
  end(): void {
    this.#isGathering = false;
    this.flush();
  }

  async #flushLater(): Promise<void> {
    this.#isAwaited = true;
    await this.#clock.sleep(GATHER_MS);
    this.#isAwaited = false;
    this.flush();
  }
}

/** How long lines are gathered, in milliseconds. */
const GATHER_MS = 10;
/** The number of characters at which they are written early, which bounds memory. */
const MOST_CHARACTERS = 16 * 1_024;

/** The standard output of this process, for its log and its metrics. */
export const standardOutput = makeStandardOutput();

function makeStandardOutput(): GatheredLines {
  const output = pino.destination({ sync: true });
  const write = (text: string): void => void output.write(text);
  const lines = new GatheredLines({ write, clock: systemClock, isGathering: !freezesBetweenCalls() });
  process.on('exit', () => lines.end());
  return lines;
}
