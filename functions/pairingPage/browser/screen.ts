import type { StatusCode } from '../../../shared/connection/status.ts';
import type { Reply, Session } from './session.ts';

/** Why nothing came of a pairing, or why it takes time, in as many ways as a person can do something about. */
export type Reason =
  | 'expired'
  | 'refused'
  | 'number'
  | 'unreachable'
  | 'banned'
  | 'operator'
  | 'working'
  | 'unlinked'
  | 'passkey'
  | 'checking'
  | 'late'
  | 'unknown';

/** The reason that a person reads for each status. */
const reasons: Readonly<Record<StatusCode, Reason>> = {
  never_paired: 'working',
  offer_out: 'working',
  offer_expired: 'expired',
  pairing_refused: 'refused',
  code_refused: 'number',
  passkey_required: 'checking',
  passkey_checking: 'checking',
  passkey_confirm: 'checking',
  passkey_expired: 'late',
  passkey_refused: 'refused',
  passkey_unsupported: 'passkey',
  opening: 'working',
  open: 'working',
  restart_required: 'working',
  restarting: 'working',
  network_lost: 'unreachable',
  whatsapp_unreachable: 'unreachable',
  whatsapp_unreachable_host: 'unreachable',
  whatsapp_unreachable_refused: 'unreachable',
  whatsapp_unreachable_timeout: 'unreachable',
  whatsapp_unreachable_tls: 'unreachable',
  server_unavailable: 'unreachable',
  stream_fault: 'unreachable',
  never_success: 'unreachable',
  silent_server: 'unreachable',
  deaf: 'working',
  sends_stuck: 'working',
  store_failed: 'working',
  unknown: 'unknown',
  replaced: 'operator',
  conflict: 'operator',
  logged_out: 'unlinked',
  device_removed: 'unlinked',
  banned: 'banned',
  temporarily_banned: 'banned',
  client_outdated: 'operator',
  client_refused: 'operator',
  multi_device_mismatch: 'operator',
  too_many_attempts: 'unreachable',
  moving: 'working',
  unlinked: 'unlinked',
  stopped: 'unlinked',
};

/** Why a link opens nothing. */
export type Closed = 'ended' | 'invalid' | 'suspended' | 'origin';

/** Why an extension gave no signature. */
export type SigningEnd = 'refused' | 'failed';

/** What the page shows. */
export type Screen =
  | { readonly shows: 'loading' }
  | { readonly shows: 'choose'; readonly reason?: Reason }
  | { readonly shows: 'number'; readonly isWrong: boolean }
  | { readonly shows: 'preparing'; readonly reason: Reason; readonly untilMs?: number }
  | { readonly shows: 'qr'; readonly size: number; readonly path: string; readonly untilMs: number }
  | { readonly shows: 'code'; readonly code: string; readonly phoneNumber: string; readonly untilMs: number }
  /** @param options of a request that an extension may sign */
  | { readonly shows: 'sign'; readonly options: object; readonly untilMs: number; readonly went?: SigningEnd }
  | { readonly shows: 'signing' }
  | { readonly shows: 'compare'; readonly code: string; readonly untilMs: number }
  | { readonly shows: 'linked'; readonly account: string; readonly isOnline: boolean; readonly returnUrl?: string }
  | { readonly shows: 'closed'; readonly why: Closed };

/** The screen of a session. */
const screens: Readonly<Record<Session['state'], (session: Session) => Screen>> = {
  ready: () => ({ shows: 'choose' }),
  ended: ({ reason = 'unknown' }) => ({ shows: 'choose', reason: reasons[reason] ?? 'unknown' }),
  preparing: ({ reason = 'opening', nextAttemptAt }) => ({
    shows: 'preparing',
    reason: reasons[reason] ?? 'unknown',
    ...(nextAttemptAt === undefined ? {} : { untilMs: Date.parse(nextAttemptAt) }),
  }),
  offered: ({ qr, code, phoneNumber, expiresAt = '' }) => {
    const untilMs = Date.parse(expiresAt);
    if (qr !== undefined) return { shows: 'qr', ...qr, untilMs };
    return { shows: 'code', code: code ?? '', phoneNumber: phoneNumber ?? '', untilMs };
  },
  passkey: ({ step, options = {}, code = '', expiresAt = '' }) => {
    const untilMs = Date.parse(expiresAt);
    if (step === 'required') return { shows: 'sign', options, untilMs };
    return step === 'confirm' ? { shows: 'compare', code, untilMs } : { shows: 'preparing', reason: 'checking' };
  },
  linked: ({ account = '', isOnline = false, returnUrl }) => ({
    shows: 'linked',
    account,
    isOnline,
    ...(returnUrl === undefined ? {} : { returnUrl }),
  }),
};

/** What the screen of a session is. */
export function screenOf(session: Session): Screen {
  return screens[session.state](session);
}

const closing: Readonly<Record<string, Closed>> = {
  pairing_link_ended: 'ended',
  pairing_link_invalid: 'invalid',
  tenant_suspended: 'suspended',
  tenant_deleted: 'ended',
};

/** Why a refusal is the end of the page; undefined for one after which it goes on. */
export function closedBy(code: string): Closed | undefined {
  return Object.hasOwn(closing, code) ? closing[code] : undefined;
}

/** How the page stands in other windows. */
export interface Place {
  readonly isFramed: boolean;
  /** The origin that the address of the page says may frame it: browsers keep all others out. */
  readonly framedBy: string | null;
}

/** Whether the window around the page is the one that the link is for. */
export function isPlaceRight({ isFramed, framedBy }: Place, { origin }: Pick<Session, 'origin'>): boolean {
  return !isFramed || (origin !== undefined && framedBy === origin);
}

const WAIT_MS = { usual: 2_000, preparing: 1_000, hidden: 5_000, most: 15_000 } as const;

/** How long the page waits before it asks again, in milliseconds; undefined when there is nothing more to learn. */
export function waitMs(screen: Screen, reply: Reply, { failures, isHidden }: { failures: number; isHidden: boolean }) {
  if (screen.shows === 'closed' || (screen.shows === 'linked' && screen.isOnline)) return undefined;
  if (reply.outcome === 'refused' && reply.retryAfterSeconds !== undefined)
    return Math.min(reply.retryAfterSeconds, 60) * 1_000;
  if (failures > 0) return Math.min(WAIT_MS.usual * 2 ** (failures - 1), WAIT_MS.most);
  if (isHidden) return WAIT_MS.hidden;
  return screen.shows === 'preparing' || screen.shows === 'loading' ? WAIT_MS.preparing : WAIT_MS.usual;
}
