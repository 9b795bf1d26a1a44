import { Stop, systemClock, type Clock } from './clock.ts';

/** A call that did not answer within its deadline. The call itself may still take effect later. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly what: string;
  readonly deadlineMs: number;

  constructor(what: string, deadlineMs: number) {
    super(`${what} did not finish within ${Math.round(deadlineMs)} ms`);
    this.what = what;
    this.deadlineMs = deadlineMs;
  }
}

/**
 * Runs `call` with an abort signal and gives it up after `deadlineMs`.
 * Returns what the call returns. Throws {@link TimeoutError} at the deadline, whether or not the call heeds the signal,
 * and what the call throws otherwise.
 */
export async function withDeadline<Result>(
  what: string,
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<Result>,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<Result> {
  const late = new AbortController();
  const settled = new Stop();
  const expired = clock.sleep(deadlineMs, settled).then((): Promise<Result> => {
    // The race is settled, and no caller waits for this abort.
    if (settled.aborted) return new Promise(() => undefined);
    const timeout = new TimeoutError(what, deadlineMs);
    late.abort(timeout);
    throw timeout;
  });
  try {
    return await Promise.race([call(late.signal), expired]);
  } finally {
    settled.abort();
  }
}
