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
): Promise<Result> {
  const controller = new AbortController();
  const timeout = new TimeoutError(what, deadlineMs);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(timeout);
      controller.abort(timeout);
    }, deadlineMs);
  });
  try {
    return await Promise.race([call(controller.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}
