import { request } from 'undici';

export interface LambdaRuntime {
  /** Host and port of the Runtime API, which Lambda names. */
  readonly api: string;
  readonly handler: (event: never) => Promise<unknown>;
  /** Notes the trace of the call that is worked on. */
  readonly noteTrace: (trace: string | undefined) => void;
}

const VERSION = '2018-06-01/runtime';
/** How long Lambda may take to take an answer, in milliseconds; it is on the same machine. */
const ANSWER_MS = 10_000;

/**
 * Serves the calls of a function whose image brings no runtime of Lambda's: asks for the next one, works on it, answers, and so on. Lambda freezes
 * the process while it waits, and ends it when it is not needed. Source: Lambda Developer Guide, "Using the Lambda
 * runtime API for custom runtimes".
 *
 * Returns when the signal aborts, which is for tests. Throws when Lambda cannot be reached: the process ends then, and Lambda starts another.
 */
export async function serveCalls(runtime: LambdaRuntime, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const call = await nextCall(runtime.api, signal);
    if (call === undefined) return;
    runtime.noteTrace(call.trace);
    await work(runtime, call);
  }
}

/** Tells Lambda that the function could not be composed. Its reason is shown in the log and by the console. */
export async function tellOfFailedStart(api: string, error: unknown): Promise<void> {
  await post(`http://${api}/${VERSION}/init/error`, failureOf(error), {
    'lambda-runtime-function-error-type': 'Start',
  });
}

interface Call {
  readonly id: string;
  readonly trace: string | undefined;
  readonly event: unknown;
}

/** The next call. It may come in an hour, so nothing but the signal ends the wait. */
async function nextCall(api: string, signal: AbortSignal | undefined): Promise<Call | undefined> {
  try {
    const { headers, body } = await request(`http://${api}/${VERSION}/invocation/next`, {
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(signal === undefined ? {} : { signal }),
    });
    const event = await body.json();
    const [id, trace] = [headers['lambda-runtime-aws-request-id'], headers['lambda-runtime-trace-id']];
    if (typeof id !== 'string') throw new Error('Lambda gave a call without an id');
    return { id, trace: typeof trace === 'string' ? trace : undefined, event };
  } catch (error) {
    if (signal?.aborted === true) return undefined;
    throw error;
  }
}

async function work({ api, handler }: LambdaRuntime, { id, event }: Call): Promise<void> {
  const address = `http://${api}/${VERSION}/invocation/${encodeURIComponent(id)}`;
  let answer: unknown;
  try {
    answer = await handler(event as never);
  } catch (error) {
    const failure = failureOf(error);
    await post(`${address}/error`, failure, { 'lambda-runtime-function-error-type': failure.errorType });
    return;
  }
  await post(`${address}/response`, answer ?? null);
}

async function post(address: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const answer = await request(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  });
  await answer.body.dump();
}

function failureOf(error: unknown): {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
} {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return { errorType: name, errorMessage: message, stackTrace: stack.split('\n').slice(1, 20) };
}
