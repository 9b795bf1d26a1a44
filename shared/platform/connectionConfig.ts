import { z } from 'zod';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** The messages that a connection sends at most in a minute where neither its settings nor the fleet says it. */
export const DEFAULT_MESSAGES_PER_MINUTE = 60;

/** Settings of the sockets and commands of a connection (docs/lifecycle.md, "Reconnect"), each with its default. */
export const connectionSettings = {
  /**
   * The first delay before a reconnect, in milliseconds; 5 s when left out. Some causes have a longer one of their own.
   */
  BAILEYS_RECONNECT_BASE_DELAY: milliseconds(5_000),
  /** The delay up to which the doubling goes, in milliseconds; 5 min when left out. */
  BAILEYS_RECONNECT_MAX_DELAY: milliseconds(300_000),
  /**
   * The number of failed attempts after which the published status is `failed`; 10 when left out. Attempts go on all
   * the same, at the longest delay.
   */
  BAILEYS_RECONNECT_MAX_ATTEMPTS: z.coerce.number().int().positive().default(10),
  /** How long a socket must be open before earlier failures are forgiven, in milliseconds; 60 s when left out. */
  HOLDFAST_STABLE_AFTER_MS: milliseconds(60_000),
  /** How long a socket may take to open, in milliseconds; 150 s when left out. Then it is given up, as 408. */
  HOLDFAST_OPEN_WITHIN_MS: milliseconds(150_000),
  /** How long connecting may take, from TCP to the handshake, in milliseconds; 120 s when left out. */
  HOLDFAST_CONNECT_TIMEOUT_MS: milliseconds(120_000),
  /** How long a query may take while pairing, in milliseconds; 120 s when left out. */
  HOLDFAST_PAIRING_QUERY_TIMEOUT_MS: milliseconds(120_000),
  /**
   * How long a query may take at a login and online, in milliseconds; 15 s when left out. A query that hangs blocks all
   * sends.
   */
  HOLDFAST_ONLINE_QUERY_TIMEOUT_MS: milliseconds(15_000),
  /** The time between two keep-alives of a socket, in milliseconds; 45 s when left out. */
  HOLDFAST_KEEP_ALIVE_MS: milliseconds(45_000),
  /** How long a send waits for the server's ack, in milliseconds; 20 s when left out. */
  HOLDFAST_SERVER_ACK_TIMEOUT_MS: milliseconds(20_000),
  /** The length of a long poll for commands, in seconds; 20 when left out. */
  HOLDFAST_COMMAND_WAIT_SECONDS: z.coerce.number().int().min(1).max(20).default(20),
  /**
   * How long a received command is hidden from other receivers, in seconds; 30 when left out. It is prolonged each
   * third of that while the command is worked.
   */
  HOLDFAST_COMMAND_VISIBILITY_SECONDS: z.coerce.number().int().min(10).max(600).default(30),
  /** Whether connections keep the budgets below, and that of first contacts, where their settings say nothing; they do when left out. */
  HOLDFAST_PACE_BUDGETS: z.enum(['kept', 'off']).default('kept'),
  /**
   * The messages that a connection sends at most in a minute where its settings say nothing; 60 when left out. More risks that
   * WhatsApp restricts its account (docs/pacing.md).
   */
  HOLDFAST_MESSAGES_PER_MINUTE: z.coerce.number().int().min(10).default(DEFAULT_MESSAGES_PER_MINUTE),
  /** The messages that it sends at most to one chat in a minute where its settings say nothing; 30 when left out. */
  HOLDFAST_MESSAGES_PER_CHAT_PER_MINUTE: z.coerce.number().int().positive().default(30),
} as const;

type Settings = { readonly [Name in keyof typeof connectionSettings]: z.output<(typeof connectionSettings)[Name]> };

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
  readonly paceBudgets: 'kept' | 'off';
  readonly messagesPerMinute: number;
  readonly messagesPerChatPerMinute: number;
}

/** The configuration from the settings. */
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
    paceBudgets: value.HOLDFAST_PACE_BUDGETS,
    messagesPerMinute: value.HOLDFAST_MESSAGES_PER_MINUTE,
    messagesPerChatPerMinute: value.HOLDFAST_MESSAGES_PER_CHAT_PER_MINUTE,
  };
}
