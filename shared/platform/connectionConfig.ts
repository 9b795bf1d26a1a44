import { z } from 'zod';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** Timings of one connection (docs/lifecycle.md, "Reconnect"). */
export const connectionSettings = {
  BAILEYS_RECONNECT_BASE_DELAY: milliseconds(5_000),
  BAILEYS_RECONNECT_MAX_DELAY: milliseconds(300_000),
  BAILEYS_RECONNECT_MAX_ATTEMPTS: z.coerce.number().int().positive().default(10),
  HOLDFAST_STABLE_AFTER_MS: milliseconds(60_000),
  HOLDFAST_OPEN_WITHIN_MS: milliseconds(150_000),
  HOLDFAST_CONNECT_TIMEOUT_MS: milliseconds(120_000),
  HOLDFAST_PAIRING_QUERY_TIMEOUT_MS: milliseconds(120_000),
  HOLDFAST_ONLINE_QUERY_TIMEOUT_MS: milliseconds(15_000),
  HOLDFAST_KEEP_ALIVE_MS: milliseconds(45_000),
  HOLDFAST_SERVER_ACK_TIMEOUT_MS: milliseconds(20_000),
  HOLDFAST_COMMAND_WAIT_SECONDS: z.coerce.number().int().min(1).max(20).default(20),
  HOLDFAST_COMMAND_VISIBILITY_SECONDS: z.coerce.number().int().min(10).max(600).default(30),
} as const;

type Settings = { readonly [Name in keyof typeof connectionSettings]: number };

export interface ConnectionConfig {
  readonly reconnectBaseDelayMs: number;
  readonly reconnectMaxDelayMs: number;
  readonly reconnectMaxAttempts: number;
  readonly stableAfterMs: number;
  readonly openWithinMs: number;
  readonly connectTimeoutMs: number;
  readonly pairingQueryTimeoutMs: number;
  readonly onlineQueryTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly serverAckTimeoutMs: number;
  readonly commandWaitSeconds: number;
  readonly commandVisibilitySeconds: number;
}

/** The numbers out of the settings. */
export function toConnections(value: Settings): ConnectionConfig {
  return {
    reconnectBaseDelayMs: value.BAILEYS_RECONNECT_BASE_DELAY,
    reconnectMaxDelayMs: value.BAILEYS_RECONNECT_MAX_DELAY,
    reconnectMaxAttempts: value.BAILEYS_RECONNECT_MAX_ATTEMPTS,
    stableAfterMs: value.HOLDFAST_STABLE_AFTER_MS,
    openWithinMs: value.HOLDFAST_OPEN_WITHIN_MS,
    connectTimeoutMs: value.HOLDFAST_CONNECT_TIMEOUT_MS,
    pairingQueryTimeoutMs: value.HOLDFAST_PAIRING_QUERY_TIMEOUT_MS,
    onlineQueryTimeoutMs: value.HOLDFAST_ONLINE_QUERY_TIMEOUT_MS,
    keepAliveMs: value.HOLDFAST_KEEP_ALIVE_MS,
    serverAckTimeoutMs: value.HOLDFAST_SERVER_ACK_TIMEOUT_MS,
    commandWaitSeconds: value.HOLDFAST_COMMAND_WAIT_SECONDS,
    commandVisibilitySeconds: value.HOLDFAST_COMMAND_VISIBILITY_SECONDS,
  };
}
