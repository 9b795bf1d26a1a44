import type { ConnectionId, TenantId } from '../kernel/id.ts';
import type { PasskeyAnswer } from './passkey.ts';
import type { Pace } from './pace.ts';
import type { PauseCode } from './sendsPause.ts';
import type { Changeable } from './settings.ts';
import { statusRules, type ConnectionStatus, type StatusCode, type UserAction } from './status.ts';

/**
 * The state that the tenant asked for. `deleted` lives until the owner has unlinked the device and removed the record.
 */
export type WantedState = 'online' | 'off' | 'deleted';

/** The linked WhatsApp account; addresses without device. */
export interface ConnectionAccount {
  readonly phoneJid: string;
  readonly lid: string | undefined;
  readonly name: string | undefined;
}

/**
 * The last pairing that the tenant asked for. It is level-triggered: the owner reads it and acts when it has not done
 * so yet.
 */
export type WantedPairing = ({ readonly method: 'qr' } | { readonly method: 'code'; readonly phoneNumber: string }) & {
  readonly requestId: string;
  readonly requestedAtMs: number;
  /** The tenant's answer to the last request for a passkey; it is a secret for as long as that waits, and goes with this request. */
  readonly passkey?: PasskeyAnswer | undefined;
};

/** The age from which on a pairing request is void, in milliseconds: nobody waits for its offer any more. */
export const PAIRING_REQUEST_LIMIT_MS = 5 * 60_000;

/** A log-out that the tenant asked for and that is not done yet. Level-triggered like a pairing. */
export interface WantedLogout {
  readonly requestId: string;
}

/** The number of messages that filters have dropped, by the name of the filter, since the first of them. */
export interface FilteredMessages {
  readonly sinceMs: number;
  readonly messages: Readonly<Record<string, number>>;
}

/** One linked WhatsApp account that a tenant wants online: the durable record. */
export interface Connection extends Changeable {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  /** The shard on which the connection was placed when it was created; it never changes. */
  readonly shard: number;
  readonly wanted: WantedState;
  readonly pairing: WantedPairing | undefined;
  readonly logout?: WantedLogout | undefined;
  /** The linked account; undefined while none is linked. */
  readonly account: ConnectionAccount | undefined;
  readonly status: ConnectionStatus;
  readonly statusCode: StatusCode;
  readonly statusSinceMs: number;
  /** When the next socket is opened, or was, while one is being opened. */
  readonly nextAttemptAtMs?: number | undefined;
  /** Until when messages wait because of an answer of WhatsApp, or of none; a past time means nothing. */
  readonly sendsPausedUntilMs?: number | undefined;
  readonly sendsPausedBecause?: PauseCode | undefined;
  /** How fast it may send, and to how many new people; undefined until its owner has looked at it once. */
  readonly pace?: Pace | undefined;
  /** The number of changes of status, and so the number of the newest one in the history. */
  readonly transitions?: number | undefined;
  /** The number of changes of label, metadata or settings. */
  readonly changes?: number | undefined;
  readonly createdAtMs: number;
  /** The place that it has among the tenant's connections to which no account was ever linked; undefined from when one is. */
  readonly unpairedPlace?: number | undefined;
  /** The number of messages that wait for the connection to come online. */
  readonly parkedCount: number;
  /** The messages that its filters have dropped; undefined while there is none. */
  readonly filtered?: FilteredMessages | undefined;
}

/** The public status: a code, a sentence, and what to do. */
export interface PublicStatus {
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
  readonly sentence: string;
  readonly userAction: UserAction;
  readonly sinceMs: number;
  readonly nextAttemptAtMs: number | undefined;
}

/** The view of a connection's status. */
export function publicStatusOf(connection: Connection): PublicStatus {
  const rule = statusRules[connection.statusCode];
  return {
    status: connection.status,
    code: connection.statusCode,
    sentence: rule.sentence,
    userAction: rule.userAction,
    sinceMs: connection.statusSinceMs,
    nextAttemptAtMs: connection.nextAttemptAtMs,
  };
}
