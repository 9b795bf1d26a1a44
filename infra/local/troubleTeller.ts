import type { Scope } from '../../shared/kernel/scope.ts';
import type { Trouble } from './trouble.ts';

export interface TroubleTellerOptions {
  readonly say: (line: string) => void;
  readonly nowMs: () => number;
  readonly scope: Scope;
  /**
   * Looks up the label that its tenant gave a connection; undefined when that is not known. Does not reject, and ends
   * soon.
   */
  readonly labelOf: (connection: NonNullable<Trouble['connection']>) => Promise<string | undefined>;
}

/** Repetitions of one message within a minute, whatever it is about. */
interface Repeats {
  count: number;
  /** The number of repetitions for each connection or process. */
  readonly subjects: Map<string, number>;
}

const FOLD_MS = 60_000;
const SUBJECTS_NAMED = 3;
const SUBJECTS_KEPT = 200;
const MESSAGES_KEPT = 200;

/**
 * Prints trouble for a person: each message at once when it first comes, with its time and the connection's label, and
 * then once a minute how often it came again. Trouble repeats itself with every try, and for every connection.
 */
export class TroubleTeller {
  readonly #options: TroubleTellerOptions;
  readonly #repeats = new Map<string, Repeats>();
  #line: Promise<void> = Promise.resolve();

  constructor(options: TroubleTellerOptions) {
    this.#options = options;
  }

  /** Prints a piece of trouble a moment later. Lines come out in the order in which they were passed in. */
  tell(trouble: Trouble): void {
    const atMs = this.#options.nowMs();
    const key = `${trouble.level} ${trouble.message}`;
    const repeats = this.#repeats.get(key);
    if (repeats === undefined && this.#repeats.size >= MESSAGES_KEPT) return;
    if (repeats === undefined) {
      this.#repeats.set(key, { count: 0, subjects: new Map() });
      this.#options.scope.timeout(FOLD_MS, () => this.#fold(key, trouble));
    }
    this.#inTurn(async () => {
      const subject = await this.#subjectOf(trouble);
      if (repeats === undefined) this.#options.say(lineOf(trouble, subject, atMs));
      else note(repeats, subject);
    });
  }

  /** Resolves when everything that was passed in is printed. */
  settled(): Promise<void> {
    return this.#line;
  }

  #fold(key: string, trouble: Trouble): void {
    this.#inTurn(async () => {
      const repeats = this.#repeats.get(key);
      this.#repeats.delete(key);
      if (repeats === undefined || repeats.count === 0) return;
      this.#options.say(foldedLine(trouble, repeats, this.#options.nowMs()));
      // The trouble goes on: the next line with this message is a repetition, too.
      this.#repeats.set(key, { count: 0, subjects: new Map() });
      this.#options.scope.timeout(FOLD_MS, () => this.#fold(key, trouble));
    });
  }

  async #subjectOf({ process, connection }: Trouble): Promise<string> {
    if (connection === undefined) return process;
    return (await this.#options.labelOf(connection)) ?? connection.connectionId;
  }

  #inTurn(act: () => Promise<void>): void {
    this.#line = this.#line.then(act);
  }
}

/** A line such as `14:03:09 worker-2 Shop send not acknowledged, to …0002 (timed out)`, in local time. */
function lineOf({ process, level, message, connection, to, because }: Trouble, subject: string, atMs: number): string {
  const who = connection === undefined ? process : `${process}  ${subject}`;
  const recipient = to === undefined ? '' : `, to ${to}`;
  const mark = level === 'error' ? 'ERROR ' : '';
  return `${timeOf(atMs)}  ${who}  ${mark}${message}${recipient}${because === undefined ? '' : ` (${because})`}`;
}

/**
 * A line such as `14:04:09 … 12 times more in the last minute: send not acknowledged (Shop 8, Desk 4)`, with the most
 * frequent names first.
 */
function foldedLine({ message }: Trouble, { count, subjects }: Repeats, atMs: number): string {
  const most = [...subjects].sort(([, left], [, right]) => right - left);
  const named = most.slice(0, SUBJECTS_NAMED).map(([subject, times]) => `${subject} ${times}`);
  const others = count - most.slice(0, SUBJECTS_NAMED).reduce((sum, [, times]) => sum + times, 0);
  const who = [...named, ...(others === 0 ? [] : [`others ${others}`])].join(', ');
  const times = count === 1 ? 'once' : `${count} times`;
  return `${timeOf(atMs)}  … ${times} more in the last minute: ${message} (${who})`;
}

function note(repeats: Repeats, subject: string): void {
  repeats.count += 1;
  const before = repeats.subjects.get(subject);
  if (before === undefined && repeats.subjects.size >= SUBJECTS_KEPT) return;
  repeats.subjects.set(subject, (before ?? 0) + 1);
}

/** The local time of day, as `14:03:09`. */
export function timeOf(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}
