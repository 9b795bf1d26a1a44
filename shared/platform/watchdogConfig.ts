import { z } from 'zod';

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** What a worker tells the watchdog of itself, and how often. */
export const digestSettings = {
  HOLDFAST_DIGEST_MS: positive(30_000),
  HOLDFAST_DIGEST_SUSPECT_MS: positive(60_000),
} as const;

/** The watchdog's own limits and timings (docs/lifecycle.md, "Watchdog"). */
export const watchdogSettings = {
  HOLDFAST_WATCHDOG_EVERY_MS: positive(60_000),
  HOLDFAST_WATCHDOG_STALE_MS: positive(90_000),
  HOLDFAST_WATCHDOG_CONNECTING_MS: positive(150_000),
  HOLDFAST_WATCHDOG_DEATH_MS: positive(25_000),
  HOLDFAST_WATCHDOG_RESTART_REST_MS: positive(60_000),
  HOLDFAST_WATCHDOG_HAND_OFF_REST_MS: positive(120_000),
  HOLDFAST_WATCHDOG_STOP_REST_MS: positive(180_000),
  HOLDFAST_WATCHDOG_STOP_EVERY_MS: positive(600_000),
  HOLDFAST_WATCHDOG_RECOVERED_MS: positive(300_000),
} as const;

export interface DigestConfig {
  /** Between two digests. */
  readonly everyMs: number;
  /** A connection one of whose ages is at least this is named in the digest. */
  readonly suspectMs: number;
}

/** All numbers of the watchdog, in one object; tests shrink them in proportion. */
export interface WatchdogRules {
  /** Between two runs. After a longer gap what was seen before says nothing about what did not move. */
  readonly everyMs: number;
  /** Between two heartbeats of a worker. */
  readonly heartbeatMs: number;
  /** An open connection one of whose ages is over this is bad; a worker whose digest did not change for so long is mute. */
  readonly staleMs: number;
  /** A connection that opens for longer than this is bad. */
  readonly connectingMs: number;
  /** A worker that shows the same heartbeat for this long, measured within one run, is dead. */
  readonly deathMs: number;
  /** How long a restart, and the confirmation of a death, have to show their effect. */
  readonly restartRestMs: number;
  readonly handOffRestMs: number;
  /** How long a drain and the stop of a task have. */
  readonly stopRestMs: number;
  /** At least this long between two stops of tasks for the sake of a connection; doubles for the same connection. */
  readonly stopEveryMs: number;
  /** A connection that was well for this long has recovered: the fault would have shown itself again. */
  readonly recoveredMs: number;
}

type DigestSettings = { readonly [Name in keyof typeof digestSettings]: number };
type WatchdogSettings = { readonly [Name in keyof typeof watchdogSettings]: number };

/** The numbers of the digest out of the settings. */
export function toDigest(value: DigestSettings): DigestConfig {
  return { everyMs: value.HOLDFAST_DIGEST_MS, suspectMs: value.HOLDFAST_DIGEST_SUSPECT_MS };
}

/** The numbers of the watchdog out of the settings. */
export function toWatchdogRules(value: WatchdogSettings & { readonly HOLDFAST_HEARTBEAT_MS: number }): WatchdogRules {
  return {
    everyMs: value.HOLDFAST_WATCHDOG_EVERY_MS,
    heartbeatMs: value.HOLDFAST_HEARTBEAT_MS,
    staleMs: value.HOLDFAST_WATCHDOG_STALE_MS,
    connectingMs: value.HOLDFAST_WATCHDOG_CONNECTING_MS,
    deathMs: value.HOLDFAST_WATCHDOG_DEATH_MS,
    restartRestMs: value.HOLDFAST_WATCHDOG_RESTART_REST_MS,
    handOffRestMs: value.HOLDFAST_WATCHDOG_HAND_OFF_REST_MS,
    stopRestMs: value.HOLDFAST_WATCHDOG_STOP_REST_MS,
    stopEveryMs: value.HOLDFAST_WATCHDOG_STOP_EVERY_MS,
    recoveredMs: value.HOLDFAST_WATCHDOG_RECOVERED_MS,
  };
}

type Everything = DigestSettings &
  WatchdogSettings & { readonly HOLDFAST_HEARTBEAT_MS: number; readonly HOLDFAST_FENCE_MS: number };
type Rule = readonly [name: keyof Everything, message: string, holds: (value: Everything) => boolean];

/** What must hold between two of the settings, each with the variable that is blamed. */
export const watchdogSettingRules: readonly Rule[] = [
  [
    'HOLDFAST_WATCHDOG_DEATH_MS',
    'must leave room after HOLDFAST_FENCE_MS: fence × 1.05 < death × 0.95',
    (c) => c.HOLDFAST_FENCE_MS * 1.05 < c.HOLDFAST_WATCHDOG_DEATH_MS * 0.95,
  ],
  [
    'HOLDFAST_WATCHDOG_DEATH_MS',
    'must fit into a run together with its reads: 1.5 × death <= HOLDFAST_WATCHDOG_EVERY_MS',
    (c) => c.HOLDFAST_WATCHDOG_DEATH_MS * 1.5 <= c.HOLDFAST_WATCHDOG_EVERY_MS,
  ],
  [
    'HOLDFAST_WATCHDOG_STALE_MS',
    'must let two digests fail: 3 × digest <= stale',
    (c) => c.HOLDFAST_DIGEST_MS * 3 <= c.HOLDFAST_WATCHDOG_STALE_MS,
  ],
  [
    'HOLDFAST_DIGEST_SUSPECT_MS',
    'must be below HOLDFAST_WATCHDOG_STALE_MS and HOLDFAST_WATCHDOG_CONNECTING_MS',
    (c) => c.HOLDFAST_DIGEST_SUSPECT_MS < Math.min(c.HOLDFAST_WATCHDOG_STALE_MS, c.HOLDFAST_WATCHDOG_CONNECTING_MS),
  ],
  [
    'HOLDFAST_WATCHDOG_RESTART_REST_MS',
    'must let two digests come: 2 × digest <= rest',
    (c) => c.HOLDFAST_DIGEST_MS * 2 <= c.HOLDFAST_WATCHDOG_RESTART_REST_MS,
  ],
  [
    'HOLDFAST_WATCHDOG_RECOVERED_MS',
    'must be longer than a fault needs to show itself again: connecting + digest + a run <= recovered',
    (c) =>
      Math.max(c.HOLDFAST_WATCHDOG_CONNECTING_MS, c.HOLDFAST_WATCHDOG_STALE_MS) +
        c.HOLDFAST_DIGEST_MS +
        c.HOLDFAST_WATCHDOG_EVERY_MS <=
      c.HOLDFAST_WATCHDOG_RECOVERED_MS,
  ],
];
