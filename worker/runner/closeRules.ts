import type { ConnectionStatus, StatusCode } from '../../shared/connection/status.ts';
import type { SocketClose } from '../socket/connectionSocket.ts';

/** Why a socket closed, judged. */
export type CloseCause =
  | 'restart_required'
  | 'network_lost'
  | 'server_unavailable'
  | 'unknown'
  | 'replaced'
  | 'pairing_expired'
  | 'logged_out'
  | 'device_removed'
  | 'banned'
  | 'temporarily_banned'
  | 'client_outdated'
  | 'client_refused'
  | 'multi_device_mismatch';

/** What follows from a cause. */
export interface CloseRule {
  /** `now`: once without delay, then as `fast`. `slow`: {@link CONFLICT_RETRIES} times, then `failed`. */
  readonly retry: 'now' | 'fast' | 'slow' | 'never';
  /** First delay in milliseconds with the default base delay of 5 s; it scales with the base delay. */
  readonly firstDelayMs: number;
  /** Credentials are retired, which means kept encrypted and no longer used, only on proof that they are void. */
  readonly credentials: 'keep' | 'retire';
  readonly status: ConnectionStatus;
  /** Its sentence and user action stand in `statusRules`. */
  readonly code: StatusCode;
}

/** Retries after another program took the socket's place, before we give up: two that fight help nobody. */
export const CONFLICT_RETRIES = 3;

const again = { credentials: 'keep', status: 'reconnecting' } as const;
const never = { retry: 'never', firstDelayMs: 0 } as const;

/** Cause × consequence. Only 401, 403 and 406 retire credentials; what we do not know keeps them. */
export const closeRules: Readonly<Record<CloseCause, CloseRule>> = {
  restart_required: { retry: 'now', firstDelayMs: 8_000, ...again, code: 'restart_required' },
  network_lost: { retry: 'fast', firstDelayMs: 15_000, ...again, code: 'network_lost' },
  server_unavailable: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'server_unavailable' },
  unknown: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'unknown' },
  replaced: { retry: 'slow', firstDelayMs: 30_000, ...again, code: 'replaced' },
  pairing_expired: { ...never, credentials: 'keep', status: 'unpaired', code: 'offer_expired' },
  logged_out: { ...never, credentials: 'retire', status: 'unpaired', code: 'logged_out' },
  device_removed: { ...never, credentials: 'retire', status: 'unpaired', code: 'device_removed' },
  banned: { ...never, credentials: 'retire', status: 'restricted', code: 'banned' },
  temporarily_banned: { ...never, credentials: 'keep', status: 'restricted', code: 'temporarily_banned' },
  client_outdated: { ...never, credentials: 'keep', status: 'failed', code: 'client_outdated' },
  client_refused: { ...never, credentials: 'keep', status: 'failed', code: 'client_refused' },
  multi_device_mismatch: { ...never, credentials: 'keep', status: 'failed', code: 'multi_device_mismatch' },
};

const causesByCode: Readonly<Record<number, CloseCause>> = {
  401: 'logged_out',
  402: 'temporarily_banned',
  403: 'device_removed',
  405: 'client_outdated',
  406: 'banned',
  408: 'network_lost',
  409: 'client_refused',
  411: 'multi_device_mismatch',
  428: 'network_lost',
  440: 'replaced',
  500: 'server_unavailable',
  503: 'server_unavailable',
  515: 'restart_required',
};

/**
 * Judges a close by its code, the node that caused it and the phase; never by a message text.
 * The library reports 408 both for a lost network and for a spent pairing offer, so the phase decides. It reports 440 for
 * a stream error without code, so a `device_removed` node outranks the number: that one is a removal.
 */
export function toCloseCause(close: SocketClose, phase: 'pairing' | 'linked'): CloseCause {
  if (close.node === 'device_removed') return 'logged_out';
  if (close.statusCode === 408 && phase === 'pairing') return 'pairing_expired';
  return (close.statusCode === undefined ? undefined : causesByCode[close.statusCode]) ?? 'unknown';
}
