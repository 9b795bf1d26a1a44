import type { SocketSymptom } from '../../shared/connection/liveness.ts';
import type { ConnectionStatus, StatusCode } from '../../shared/connection/status.ts';
import { tableEntry } from '../../shared/kernel/tableEntry.ts';
import type { PasskeyEnd } from '../socket/port/passkeyEnd.ts';
import type { SocketClose } from '../socket/port/connectionSocket.ts';

/** The causes for which a socket closes, as judged from the facts of the close. */
export type CloseCause =
  | SocketSymptom
  | 'restart_required'
  | 'network_lost'
  | 'whatsapp_unreachable'
  | 'whatsapp_unreachable_host'
  | 'whatsapp_unreachable_refused'
  | 'whatsapp_unreachable_timeout'
  | 'whatsapp_unreachable_tls'
  | 'server_unavailable'
  | 'stream_fault'
  | 'store_failed'
  | 'unknown'
  | 'replaced'
  | 'pairing_expired'
  | 'pairing_refused'
  | 'code_refused'
  | PasskeyEnd
  | 'logged_out'
  | 'device_removed'
  | 'banned'
  | 'temporarily_banned'
  | 'client_outdated'
  | 'version_refused'
  | 'client_refused'
  | 'multi_device_mismatch';

/** The consequences of a cause. */
export interface CloseRule {
  /**
   * `now`: once without delay, then as `fast`. `slow`: {@link CONFLICT_RETRIES} times, then `failed`. `after_end`: once
   * a state with a stated end is over; `never` where WhatsApp stated none. `held`: when the client version has changed.
   */
  readonly retry: 'now' | 'fast' | 'slow' | 'after_end' | 'held' | 'never';
  /** The first delay in milliseconds with the default base delay of 5 s; it scales with the base delay. */
  readonly firstDelayMs: number;
  /** Whether credentials are kept, or retired: kept encrypted and no longer used, only on proof that they are void. */
  readonly credentials: 'keep' | 'retire';
  /** `read_first`: before anything else the store is asked whether a newer owner has taken the connection over. */
  readonly ownership: 'assume' | 'read_first';
  readonly status: ConnectionStatus;
  /** The code of the status; its sentence and user action stand in `statusRules`. */
  readonly code: StatusCode;
}

/**
 * The number of retries after another program took the socket's place, before the connection gives up: two that fight
 * help nobody.
 */
export const CONFLICT_RETRIES = 3;

const again = { credentials: 'keep', status: 'reconnecting', ownership: 'assume' } as const;
const never = { retry: 'never', firstDelayMs: 0, ownership: 'assume' } as const;
const unlinked = { ...never, credentials: 'keep', status: 'unpaired' } as const;
const failed = { ...never, credentials: 'keep', status: 'failed' } as const;

/** Cause × consequence. Only 401, 403 and 406 retire credentials; an unknown cause keeps them. */
export const closeRules: Readonly<Record<CloseCause, CloseRule>> = {
  restart_required: { retry: 'now', firstDelayMs: 8_000, ...again, code: 'restart_required' },
  network_lost: { retry: 'fast', firstDelayMs: 15_000, ...again, code: 'network_lost' },
  whatsapp_unreachable: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'whatsapp_unreachable' },
  whatsapp_unreachable_host: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'whatsapp_unreachable_host' },
  whatsapp_unreachable_refused: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'whatsapp_unreachable_refused' },
  whatsapp_unreachable_timeout: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'whatsapp_unreachable_timeout' },
  whatsapp_unreachable_tls: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'whatsapp_unreachable_tls' },
  server_unavailable: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'server_unavailable' },
  stream_fault: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'stream_fault' },
  store_failed: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'store_failed' },
  unknown: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'unknown' },
  never_success: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'never_success' },
  silent_server: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'silent_server' },
  deaf: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'deaf' },
  sends_stuck: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'sends_stuck' },
  replaced: { retry: 'slow', firstDelayMs: 30_000, ...again, ownership: 'read_first', code: 'replaced' },
  pairing_expired: { ...unlinked, code: 'offer_expired' },
  pairing_refused: { ...unlinked, code: 'pairing_refused' },
  code_refused: { ...unlinked, code: 'code_refused' },
  passkey_refused: { ...unlinked, code: 'passkey_refused' },
  passkey_expired: { ...unlinked, code: 'passkey_expired' },
  passkey_unsupported: { ...unlinked, code: 'passkey_unsupported' },
  logged_out: { ...never, credentials: 'retire', status: 'unpaired', code: 'logged_out' },
  device_removed: { ...never, credentials: 'retire', status: 'unpaired', code: 'device_removed' },
  banned: { ...never, credentials: 'retire', status: 'restricted', code: 'banned' },
  temporarily_banned: {
    ...never,
    retry: 'after_end',
    credentials: 'keep',
    status: 'restricted',
    code: 'temporarily_banned',
  },
  // One refusal may be a passing fault of a server; the fleet's breaker turns the second into the next row
  // (`ClientVersions`).
  client_outdated: { retry: 'fast', firstDelayMs: 8_000, ...again, code: 'client_outdated' },
  version_refused: { ...failed, retry: 'held', code: 'client_outdated' },
  client_refused: { ...failed, code: 'client_refused' },
  multi_device_mismatch: { ...failed, code: 'multi_device_mismatch' },
};

/**
 * The purpose of a socket: a linked account, or a pairing, before (`registering`) or after (`offered`) an offer was
 * out. The library reports 408 both for a lost network and for a spent offer, and only the phase can tell.
 */
export type Phase = 'linked' | 'registering' | 'offered';

/** Causes by nodes, which tell more than the number beside them. */
const causesByNode: Readonly<Record<string, CloseCause>> = {
  // Without a code the library reports both conflicts as 440.
  device_removed: 'logged_out',
  replaced: 'replaced',
  link_code_companion_reg: 'code_refused',
  // These nodes are ours: the linking by passkey knows by itself how it ended.
  passkey_refused: 'passkey_refused',
  passkey_expired: 'passkey_expired',
  passkey_unsupported: 'passkey_unsupported',
  // This node is the word of the fleet's breaker: the version to be used is refused.
  version_refused: 'version_refused',
  // This is not WhatsApp's word: a proxy on the way that answers 403 must not cost credentials.
  websocket: 'network_lost',
  // No network connection came about: nothing was lost, and WhatsApp has said nothing.
  unreachable: 'whatsapp_unreachable',
  unreachable_host: 'whatsapp_unreachable_host',
  unreachable_refused: 'whatsapp_unreachable_refused',
  unreachable_timeout: 'whatsapp_unreachable_timeout',
  unreachable_tls: 'whatsapp_unreachable_tls',
  // This node is ours: a deadline inside the socket saw it before the supervisor did.
  never_success: 'never_success',
  silent_server: 'silent_server',
  deaf: 'deaf',
  sends_stuck: 'sends_stuck',
  // This node is ours: a store or a queue failed, and WhatsApp has no part in it.
  store_failed: 'store_failed',
};

const linkedCauses: Readonly<Record<number, CloseCause>> = {
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
/** Causes by code while registering: no device is linked that could be removed or replaced. */
const registeringCauses: typeof linkedCauses = {
  ...linkedCauses,
  401: 'pairing_refused',
  402: 'pairing_refused',
  403: 'pairing_refused',
  406: 'pairing_refused',
  440: 'unknown',
};
const causesByCode: Readonly<Record<Phase, typeof linkedCauses>> = {
  linked: linkedCauses,
  registering: registeringCauses,
  offered: { ...registeringCauses, 408: 'pairing_expired' },
};

/**
 * Judges a close by its phase, the node that caused it, and its code; never by a message text. The library makes 500
 * with a node inside of a stream error without a code: WhatsApp found fault with what was on the wire.
 */
export function toCloseCause({ statusCode, node }: SocketClose, phase: Phase): CloseCause {
  const byNode = node === undefined ? undefined : tableEntry(causesByNode, node);
  if (byNode === 'logged_out' || byNode === 'replaced') return phase === 'linked' ? byNode : 'unknown';
  if (byNode !== undefined) return byNode;
  if (statusCode === 500 && node !== undefined && node !== 'stream:error') return 'stream_fault';
  return (statusCode === undefined ? undefined : causesByCode[phase][statusCode]) ?? 'unknown';
}
