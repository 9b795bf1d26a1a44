import type { SocketSymptom } from '../../../shared/connection/liveness.ts';
import { failedAtStore } from '../../../shared/platform/storeFailure.ts';
import type { SocketClose } from './connectionSocket.ts';
import { toUnreachable } from './unreachable.ts';

/**
 * The cause of a socket that we end because it is open in name only. The symptom stands where the node of WhatsApp
 * would.
 */
export class SymptomError extends Error {
  override readonly name = 'SymptomError';
  readonly data: { readonly tag: SocketSymptom };

  constructor(symptom: SocketSymptom, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.data = { tag: symptom };
  }
}

/**
 * The cause of a socket that we end because something of ours failed. Its name stands where the node of WhatsApp would.
 */
export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError';
  readonly data = { tag: 'store_failed' } as const;

  constructor(cause: unknown) {
    super('a store or a queue of ours failed', { cause });
  }
}

/**
 * The cause of a socket that we end, in the form that {@link toSocketClose} reads: a failure of our store is not
 * WhatsApp's doing.
 */
export function toCutCause(cause: unknown): Error {
  if (failedAtStore(cause)) return new StoreFailedError(cause);
  return cause instanceof Error ? cause : new Error('cut');
}

/**
 * The facts of a close: the number that Baileys reports, and the node that caused it. `conflict` nodes say in their
 * type whether the socket was replaced or the device removed; without a code Baileys gives both the number 440. When
 * the WebSocket itself failed, the number is one of HTTP or made up, and the node is `websocket`, or says why no
 * network connection came about. A stream error that has neither a code nor anything in it has no number: Baileys calls
 * it 500.
 */
export function toSocketClose(error: unknown): SocketClose {
  const { output, data } = (error ?? {}) as {
    readonly output?: { readonly statusCode?: unknown };
    readonly data?: {
      readonly tag?: unknown;
      readonly attrs?: { readonly type?: unknown; readonly code?: unknown };
      readonly expire?: unknown;
    };
  };
  const statusCode = typeof output?.statusCode === 'number' ? output.statusCode : undefined;
  if (data instanceof Error) return { statusCode, node: toUnreachable(data, statusCode) ?? 'websocket' };
  const tag = data?.tag;
  if (tag === 'stream:error' && data?.attrs?.code === undefined) return { statusCode: undefined, node: tag };
  const type = data?.attrs?.type;
  const node = typeof type === 'string' ? type : typeof tag === 'string' ? tag : undefined;
  const endsInMs = toEndsInMs(data?.expire);
  return { statusCode, node, ...(endsInMs === undefined ? {} : { endsInMs }) };
}

/** The longest plausible time in seconds. A longer one is ignored, as if no time were given. */
const LONGEST_SECONDS = 366 * 86_400;

/** The time of a ban: `expire` of a failure is a number of seconds (whatsmeow, connectionevents.go: TempBanned). */
function toEndsInMs(expire: unknown): number | undefined {
  const seconds = typeof expire === 'string' && /^\d{1,9}$/.test(expire) ? Number(expire) : 0;
  return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds * 1_000 : undefined;
}
