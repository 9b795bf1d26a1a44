import type { Strike } from '../whatsapp/faults.ts';

/** Delays are this part of what they are with the default base delay of 5 s. */
export const BASE_DELAY_MS = 150;
export const SCALE = BASE_DELAY_MS / 5_000;
export const SPACING_MS = 30_000 * SCALE;
export const STABLE_MS = 60_000 * SCALE;
export const SHARD_OF = { owner: 0, other: 1, taken: 2 } as const;

/**
 * `owner`: nobody else has the connection. `other`: another worker has claimed the shard, and has done nothing yet.
 * `taken`: another worker has claimed it, recorded a status and raised the epoch of the credentials.
 */
export type Ownership = keyof typeof SHARD_OF;

/** What one connection goes through: it is paired or shows an offer, and then this happens to its socket. */
export interface Trial {
  readonly name: string;
  readonly ownership: Ownership;
  readonly phase: 'linked' | 'pairing' | 'pairing_by_code';
  /** What each socket is struck with, one after the other. */
  readonly strikes: readonly Strike[];
  /** Logins after the first strike that are refused with this number. */
  readonly refusals?: readonly number[];
}

/** What came of it. */
export interface Outcome {
  /** Sockets that were opened after the first strike. */
  readonly opens: number;
  /** The times from the close of each socket to the next attempt, as published; where an attempt was promised. */
  readonly delaysMs: readonly number[];
  /** The time from the first close to the next open. */
  readonly awayMs: number | undefined;
  readonly credentials: 'kept' | 'none';
  /** The status as the record shows it. */
  readonly status: string;
  /** Changes of status after the first strike, oldest first, with the number of the close. */
  readonly history: readonly string[];
  /** Statuses that tenants were told after the first strike. */
  readonly events: readonly string[];
}
