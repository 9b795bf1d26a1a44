import type { SocketSymptom } from '../../../shared/connection/liveness.ts';
import { failedAtStore } from '../../../shared/platform/storeFailure.ts';
import type { SocketClose } from './connectionSocket.ts';
import { toUnreachable } from './unreachable.ts';

/** We end a socket that is open in name only. The symptom stands where the node of WhatsApp would. */
export class SymptomError extends Error {
  override readonly name = 'SymptomError';
  readonly data: { readonly tag: SocketSymptom };

  constructor(symptom: SocketSymptom, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.data = { tag: symptom };
  }
}

/** We end a socket because something of ours failed. What stands where the node of WhatsApp would says so. */
export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError';
  readonly data = { tag: 'store_failed' } as const;

  constructor(cause: unknown) {
    super('a store or a queue of ours failed', { cause });
  }
}

/** Why we end a socket, in the form that {@link toSocketClose} reads: what failed at a store of ours is not WhatsApp's doing. */
export function toCutCause(cause: unknown): Error {
  if (failedAtStore(cause)) return new StoreFailedError(cause);
  return cause instanceof Error ? cause : new Error('cut');
}

/**
 * The facts of a close: the number that Baileys reports, and the node that caused it. `conflict` nodes say in their type
 * whether the socket was replaced or the device removed; without a code Baileys gives both the number 440. When the
 * WebSocket itself failed, the number is one of HTTP or made up, and the node is `websocket`, or says why no
 * connection came about. A stream error that has
 * neither a code nor anything in it has no number: Baileys calls it 500.
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

/** A longer one is taken for nonsense: as if no time were given. */
const LONGEST_SECONDS = 366 * 86_400;

/** `expire` of a failure is a number of seconds (whatsmeow, connectionevents.go: TempBanned). */
function toEndsInMs(expire: unknown): number | undefined {
  const seconds = typeof expire === 'string' && /^\d{1,9}$/.test(expire) ? Number(expire) : 0;
  return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds * 1_000 : undefined;
}
