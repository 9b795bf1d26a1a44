import { PAIRING_REQUEST_LIMIT_MS, type Connection } from './connection.ts';
import type { StoredOffer, StoredPasskeyStep } from './pairingOffer.ts';
import type { StatusCode } from './status.ts';

/** What a page shows of an offer: a picture to scan, or a code to type. */
export type ShownOffer = Extract<StoredOffer, { readonly method: 'qr' | 'code' }>;

/** How far the pairing of a connection is, as a person sees it. */
export type PairingSession =
  /** Nothing is asked for. */
  | { readonly state: 'ready' }
  /** An offer is being prepared, or the phone has used it and WhatsApp has not finished yet. */
  | { readonly state: 'preparing'; readonly code: StatusCode; readonly nextAttemptAtMs: number | undefined }
  | { readonly state: 'offered'; readonly offer: ShownOffer }
  /** The phone has used the offer, and WhatsApp asks for a passkey of the account. */
  | { readonly state: 'passkey'; readonly step: StoredPasskeyStep }
  /** @param phone the number of the account, of which the last digits are shown */
  | { readonly state: 'linked'; readonly phone: string; readonly isOnline: boolean }
  /** What was asked for came to nothing. */
  | { readonly state: 'ended'; readonly code: StatusCode };

/** The statuses of a connection without an account that say how a pairing ended, and not that none was asked for. */
const ENDED: ReadonlySet<Connection['status']> = new Set(['unpaired', 'failed', 'restricted']);
const NEVER_ASKED: ReadonlySet<StatusCode> = new Set([
  'never_paired',
  'unlinked',
  'stopped',
  'logged_out',
  'device_removed',
]);
const SHOWN_DIGITS = 4;

/** The pairing of a connection at a time, from its record and the offer that is out. */
export function pairingSessionOf(
  connection: Pick<Connection, 'account' | 'pairing' | 'wanted' | 'status' | 'statusCode' | 'nextAttemptAtMs'>,
  offer: StoredOffer | undefined,
  nowMs: number,
): PairingSession {
  const { account, pairing, wanted, status, statusCode: code } = connection;
  if (account !== undefined)
    return { state: 'linked', phone: maskedNumber(account.phoneJid), isOnline: status === 'online' };
  // An offer of another kind than the one that is asked for is about to be replaced.
  if (offer !== undefined && isAskedFor(offer, pairing)) return { state: 'offered', offer };
  if (offer !== undefined && isStep(offer) && pairing !== undefined) {
    return { state: 'passkey', step: isAnswered(offer, pairing) ? toWait(offer) : offer };
  }
  const isAsked = pairing !== undefined && nowMs - pairing.requestedAtMs < PAIRING_REQUEST_LIMIT_MS;
  if (wanted === 'online' && isAsked) {
    const { nextAttemptAtMs } = connection;
    const isAhead = nextAttemptAtMs !== undefined && nextAttemptAtMs > nowMs;
    return { state: 'preparing', code, nextAttemptAtMs: isAhead ? nextAttemptAtMs : undefined };
  }
  return ENDED.has(status) && !NEVER_ASKED.has(code) ? { state: 'ended', code } : { state: 'ready' };
}

function isAskedFor(offer: StoredOffer, pairing: Connection['pairing']): offer is ShownOffer {
  if (offer.method !== 'qr' && offer.method !== 'code') return false;
  if (pairing === undefined) return true;
  if (offer.method === 'qr' || pairing.method === 'qr') return offer.method === pairing.method;
  return offer.phoneNumber === pairing.phoneNumber;
}

/** Whether a step has been answered, of which its worker has not heard yet: nobody is to answer it twice. */
function isAnswered(step: StoredPasskeyStep, { passkey }: NonNullable<Connection['pairing']>): boolean {
  if (passkey === undefined || !('challenge' in step) || passkey.challenge !== step.challenge) return false;
  return step.method === 'passkey_required' || passkey.confirmedCode === step.code;
}

function toWait({ expiresAtMs }: StoredPasskeyStep): StoredPasskeyStep {
  return { method: 'passkey_checking', expiresAtMs };
}

function isStep(offer: StoredOffer): offer is StoredPasskeyStep {
  return offer.method !== 'qr' && offer.method !== 'code';
}

/** The number of an address, of which only the last digits are shown: `•••• 4567`. */
export function maskedNumber(phoneJid: string): string {
  const digits = phoneJid.replace(/[@:].*$/, '').replaceAll(/\D/g, '');
  return `•••• ${digits.slice(-SHOWN_DIGITS)}`;
}
