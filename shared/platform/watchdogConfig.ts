import { z } from 'zod';

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** Settings of the digest that a worker writes for the watchdog, in milliseconds, with their defaults. */
export const digestSettings = {
  /** The time between two digests; 30 s when left out. */
  HOLDFAST_DIGEST_MS: positive(30_000),
  /** The age from which on a connection is named in the digest; 60 s when left out. */
  HOLDFAST_DIGEST_SUSPECT_MS: positive(60_000),
} as const;

/**
 * Settings of the watchdog's own limits and timings (docs/lifecycle.md, "Watchdog"), in milliseconds, with their
 * defaults.
 */
export const watchdogSettings = {
  /** The time between two runs; 60 s when left out. */
  HOLDFAST_WATCHDOG_EVERY_MS: positive(60_000),
  /** The age over which an open connection is bad, and a digest stale; 90 s when left out. */
  HOLDFAST_WATCHDOG_STALE_MS: positive(90_000),
  /** The time after which a connection that still opens is bad; 150 s when left out. */
  HOLDFAST_WATCHDOG_CONNECTING_MS: positive(150_000),
  /** How long a worker must show the same heartbeat within one run to be dead; 25 s when left out. */
  HOLDFAST_WATCHDOG_DEATH_MS: positive(25_000),
  /** The rest after a restart, or after the confirmation of a death; 60 s when left out. */
  HOLDFAST_WATCHDOG_RESTART_REST_MS: positive(60_000),
  /** The rest after a hand-off; 120 s when left out. */
  HOLDFAST_WATCHDOG_HAND_OFF_REST_MS: positive(120_000),
  /** The rest after a drain, or after a stop for a worker's own sake; 180 s when left out. */
  HOLDFAST_WATCHDOG_STOP_REST_MS: positive(180_000),
  /** The least time between two stops for the sake of a connection; 10 min when left out. */
  HOLDFAST_WATCHDOG_STOP_EVERY_MS: positive(600_000),
  /** How long a connection must be well before its ladder begins anew; 5 min when left out. */
  HOLDFAST_WATCHDOG_RECOVERED_MS: positive(300_000),
} as const;

export interface DigestConfig {
  /** The time between two digests. */
  readonly everyMs: number;
  /** The age from which on a connection is named in the digest, when any of its ages is as high. */
  readonly suspectMs: number;
}

/** The numbers of the watchdog in one object; tests shrink them in proportion. */
export interface WatchdogRules {
  /**
   * The time between two runs. After a longer gap, earlier sightings prove nothing about a worker that did not move.
   */
  readonly everyMs: number;
  /** The time between two heartbeats of a worker. */
  readonly heartbeatMs: number;
  /**
   * The age over which an open connection is bad, when any of its ages is as high. A worker whose digest did not change
   * for so long is mute.
   */
  readonly staleMs: number;
  /** The time after which a connection that still opens is bad. */
  readonly connectingMs: number;
  /** How long a worker must show the same heartbeat, measured within one run, to be dead. */
  readonly deathMs: number;
  /** How long a restart, and the confirmation of a death, have to show their effect. */
  readonly restartRestMs: number;
  readonly handOffRestMs: number;
  /** How long a drain and the stop of a task have to show their effect. */
  readonly stopRestMs: number;
  /** The least time between two stops of tasks for the sake of a connection; it doubles for the same connection. */
  readonly stopEveryMs: number;
  /** How long a connection must be well to have recovered: the fault would have shown itself again. */
  readonly recoveredMs: number;
}

type DigestSettings = { readonly [Name in keyof typeof digestSettings]: number };
type WatchdogSettings = { readonly [Name in keyof typeof watchdogSettings]: number };

/** The configuration of the digest from the settings. */
export function toDigest(value: DigestSettings): DigestConfig {
  return { everyMs: value.HOLDFAST_DIGEST_MS, suspectMs: value.HOLDFAST_DIGEST_SUSPECT_MS };
}

/** The rules of the watchdog from the settings. */
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

/** The rules between two of the settings, each with the variable that is blamed. */
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
