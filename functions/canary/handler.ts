import { z } from 'zod';
import type { Secret } from '../../shared/kernel/secret.ts';
import { isSent, sendStates, type SendState } from '../../shared/message/message.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface CanaryDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  /** The URL of the API, without a slash at its end. */
  readonly apiUrl: string;
  /** A linked connection of a tenant that the operators own. */
  readonly connectionId: string;
  /** Reads the API key of that tenant. Called in each run, so that a new key counts at once. */
  readonly readKey: () => Promise<Secret>;
  /** How long WhatsApp may take to acknowledge the message after its acceptance, in milliseconds. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 500;
const CALL_MS = 10_000;
const MINUTE_MS = 60_000;

const connectionSchema = z.object({ account: z.object({ phoneNumber: z.string() }) });
const problemSchema = z.object({ code: z.string() });
const messageSchema = z.object({ id: z.string(), status: z.string() });

/** The reason why a run failed: the step under way, and what came of it. */
class CanaryError extends Error {
  override readonly name = 'CanaryError';
  readonly phase: string;

  constructor(phase: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.phase = phase;
  }
}

/**
 * The canary, each minute: it sends a message from a connection to itself, as a tenant does, and waits until WhatsApp
 * has it. It shows what no part can report about itself: that the parts work together. A failure is counted and logged
 * with its reason; the handler never throws, as a run that is repeated would hide the failure.
 */
export function makeCanaryHandler(dependencies: CanaryDependencies): () => Promise<void> {
  return async () => {
    const { clock, metrics, logger } = dependencies;
    const startedMs = clock.monotonicMs();
    try {
      await sendToItself(dependencies);
      metrics.measure('CanaryDuration', clock.monotonicMs() - startedMs, {});
      metrics.count('CanaryFailed', {}, 0);
    } catch (error) {
      metrics.count('CanaryFailed', {});
      const phase = error instanceof CanaryError ? error.phase : 'key';
      logger.error('canary failed', { phase, error });
    }
  };
}

async function sendToItself(dependencies: CanaryDependencies): Promise<void> {
  const { connectionId, clock, patienceMs = PATIENCE_MS } = dependencies;
  const key = await dependencies.readKey();
  const path = `/v1/connections/${connectionId}`;
  const { account } = connectionSchema.parse(await call(dependencies, key, 'connection', path));
  const minute = Math.floor(clock.nowMs() / MINUTE_MS);
  const sent = messageSchema.parse(
    await call(dependencies, key, 'send', `${path}/messages`, {
      // The key is the same in a second run of the same minute, which is then about the same message.
      key: `canary-${minute}`,
      body: { to: account.phoneNumber, type: 'text', text: { body: `canary ${minute}` } },
    }),
  );
  const giveUpAtMs = clock.monotonicMs() + patienceMs;
  for (let { status } = sent; !isThere(status);) {
    if (clock.monotonicMs() >= giveUpAtMs) {
      throw new CanaryError('arrival', `message is still ${status} after ${patienceMs} ms`);
    }
    await clock.sleep(LOOK_EVERY_MS);
    ({ status } = messageSchema.parse(await call(dependencies, key, 'arrival', `${path}/messages/${sent.id}`)));
  }
}

function isThere(status: string): boolean {
  if (!(status in sendStates)) throw new CanaryError('arrival', `message is in a state that nobody knows: ${status}`);
  const state = status as SendState;
  if (sendStates[state] >= sendStates.failed) throw new CanaryError('arrival', `message ended as ${status}`);
  return isSent(state);
}

async function call(
  { apiUrl }: CanaryDependencies,
  key: Secret,
  phase: string,
  path: string,
  post?: { readonly key: string; readonly body: object },
): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(`${apiUrl}${path}`, {
      method: post === undefined ? 'GET' : 'POST',
      signal: AbortSignal.timeout(CALL_MS),
      headers: {
        authorization: `Bearer ${key.reveal()}`,
        ...(post === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': post.key }),
      },
      ...(post === undefined ? {} : { body: JSON.stringify(post.body) }),
    });
  } catch (error) {
    throw new CanaryError(phase, 'the API did not answer', error);
  }
  if (answer.ok) return answer.json();
  const problem = problemSchema.safeParse(await answer.json().catch(() => ({})));
  throw new CanaryError(phase, `the API answered ${answer.status} ${problem.data?.code ?? ''}`.trimEnd());
}
