import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { statusRules, type ConnectionStatus, type StatusCode, type UserAction } from './status.ts';

/** What the tenant asked for. `deleted` lives until the owner has unlinked the device and removed the record. */
export type WantedState = 'online' | 'off' | 'deleted';

/** The linked WhatsApp account; addresses without device. */
export interface ConnectionAccount {
  readonly phoneJid: string;
  readonly lid: string | undefined;
  readonly name: string | undefined;
}

/** The last pairing the tenant asked for. Level-triggered: the owner reads it and acts when it has not done so yet. */
export type WantedPairing =
  | { readonly requestId: string; readonly requestedAtMs: number; readonly method: 'qr' }
  | {
      readonly requestId: string;
      readonly requestedAtMs: number;
      readonly method: 'code';
      readonly phoneNumber: string;
    };

/** One linked WhatsApp account that a tenant wants online: the durable record. */
export interface Connection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly label: string | undefined;
  /** Placed once, when created; never changes. */
  readonly shard: number;
  readonly wanted: WantedState;
  readonly pairing: WantedPairing | undefined;
  /** Present while an account is linked. */
  readonly account: ConnectionAccount | undefined;
  readonly status: ConnectionStatus;
  readonly statusCode: StatusCode;
  readonly statusSinceMs: number;
  readonly createdAtMs: number;
  /** Messages that wait for the connection to come online. */
  readonly parkedCount: number;
}

/** The public status: a code, a sentence, and what to do. */
export interface PublicStatus {
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
  readonly sentence: string;
  readonly userAction: UserAction;
  readonly sinceMs: number;
}

/** What is shown of a connection's status. */
export function publicStatusOf(connection: Connection): PublicStatus {
  const rule = statusRules[connection.statusCode];
  return {
    status: connection.status,
    code: connection.statusCode,
    sentence: rule.sentence,
    userAction: rule.userAction,
    sinceMs: connection.statusSinceMs,
  };
}
