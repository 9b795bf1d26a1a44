import { z } from 'zod';

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/**
 * Settings of ownership (docs/protocol.md, "Numbers"), each with its default. Tests and the embedded stack shrink the
 * times.
 */
export const ownershipSettings = {
  /** The time between two heartbeats, each drawn within 10 % around it; 5 s when left out. */
  HOLDFAST_HEARTBEAT_MS: positive(5_000),
  /** The deadline of one try of a heartbeat, which has two; 1.5 s when left out. */
  HOLDFAST_HEARTBEAT_TIMEOUT_MS: positive(1_500),
  /** How long after the sending of the last acknowledged heartbeat the gate closes; 15 s when left out. */
  HOLDFAST_FENCE_MS: positive(15_000),
  /** How long a worker must show the same heartbeat to be declared dead; 25 s when left out. */
  HOLDFAST_DEATH_MS: positive(25_000),
  /** How long there must be no leader before each worker claims orphans by itself; 60 s when left out. */
  HOLDFAST_ORPHAN_CLAIM_MS: positive(60_000),
  /** How long a drain may take; 100 s when left out. Fargate kills the process 120 s after SIGTERM. */
  HOLDFAST_DRAIN_TIMEOUT_MS: positive(100_000),
  /** The time between two looks of leader and deputy at the whole fleet; 2 s when left out. */
  HOLDFAST_LEADER_READ_MS: positive(2_000),
  /** How long nobody is declared dead after many workers looked dead at once; 60 s when left out. */
  HOLDFAST_BRAKE_MS: positive(60_000),
  /** The time after which the leader withdraws an offer of a shard; 30 s when left out. */
  HOLDFAST_GIVE_DEADLINE_MS: positive(30_000),
  /** The time between two looks at the row of a shard that is to come; 200 ms when left out. */
  HOLDFAST_WATCH_MS: positive(200),
  /** The least time between two rounds of evening out; 60 s when left out. */
  HOLDFAST_REBALANCE_EVERY_MS: positive(60_000),
  /** The most that one round moves, in percent of all shards; 10 when left out. */
  HOLDFAST_REBALANCE_PERCENT: z.coerce.number().int().min(1).max(100).default(10),
  /**
   * The share of the shards that moves to a new deploy generation first, in percent; 100 when left out, so that no
   * share is watched before the rest.
   */
  HOLDFAST_CANARY_PERCENT: z.coerce.number().int().min(1).max(100).default(100),
  /** How long that share is watched before the rest follows; 10 min when left out. */
  HOLDFAST_CANARY_HOLD_MS: positive(600_000),
  /** The most sockets that one worker opens per second; 25 when left out. */
  HOLDFAST_OPENS_PER_SECOND: positive(25),
  /** The most sockets that all workers together open per second; 500 when left out. */
  HOLDFAST_FLEET_OPENS_PER_SECOND: positive(500),
  /** The most handshakes of one worker at once; 10 when left out. */
  HOLDFAST_HANDSHAKES_IN_FLIGHT: positive(10),
  /**
   * The number of connections that count as a full worker; 400 when left out. The service is scaled by it; a worker may
   * hold more.
   */
  HOLDFAST_WORKER_CONNECTIONS: positive(400),
} as const;

type Settings = { readonly [Name in keyof typeof ownershipSettings]: number };

/** The numbers of ownership (docs/protocol.md, "Numbers") in one object; tests shrink the times in proportion. */
export interface OwnershipConfig {
  readonly heartbeatMs: number;
  /** The deadline of one try; a heartbeat has two. */
  readonly heartbeatTimeoutMs: number;
  /** How long after the sending of the last acknowledged heartbeat the gate closes. */
  readonly fenceMs: number;
  /** How long a worker must show the same heartbeat to be dead. */
  readonly deathMs: number;
  /** How long there must be no leader before each worker claims orphans by itself. */
  readonly orphanClaimMs: number;
  readonly drainTimeoutMs: number;
  /** The time between two looks of leader and deputy at the whole fleet. */
  readonly leaderReadMs: number;
  readonly brakeMs: number;
  /** The time after which an offer is withdrawn whose target is not the owner yet. */
  readonly giveDeadlineMs: number;
  /** The time between two looks at the row of a shard that is to come. */
  readonly watchMs: number;
  /** The least time between two rounds of evening out, and after a change of the fleet. */
  readonly rebalanceEveryMs: number;
  /** The most that one round moves, in percent of all shards; at least one shard. */
  readonly rebalancePercent: number;
  /** The share of the shards that moves to a new deploy generation first, in percent. */
  readonly canaryPercent: number;
  /** How long that share is watched before the rest follows. */
  readonly canaryHoldMs: number;
  readonly opensPerSecond: number;
  readonly fleetOpensPerSecond: number;
  readonly handshakesInFlight: number;
  /** The number of connections that count as a full worker, where the leader says how full the fleet is. */
  readonly workerConnections: number;
}

/** The configuration from the settings. */
export function toOwnership(value: Settings): OwnershipConfig {
  return {
    heartbeatMs: value.HOLDFAST_HEARTBEAT_MS,
    heartbeatTimeoutMs: value.HOLDFAST_HEARTBEAT_TIMEOUT_MS,
    fenceMs: value.HOLDFAST_FENCE_MS,
    deathMs: value.HOLDFAST_DEATH_MS,
    orphanClaimMs: value.HOLDFAST_ORPHAN_CLAIM_MS,
    drainTimeoutMs: value.HOLDFAST_DRAIN_TIMEOUT_MS,
    leaderReadMs: value.HOLDFAST_LEADER_READ_MS,
    brakeMs: value.HOLDFAST_BRAKE_MS,
    giveDeadlineMs: value.HOLDFAST_GIVE_DEADLINE_MS,
    watchMs: value.HOLDFAST_WATCH_MS,
    rebalanceEveryMs: value.HOLDFAST_REBALANCE_EVERY_MS,
    rebalancePercent: value.HOLDFAST_REBALANCE_PERCENT,
    canaryPercent: value.HOLDFAST_CANARY_PERCENT,
    canaryHoldMs: value.HOLDFAST_CANARY_HOLD_MS,
    opensPerSecond: value.HOLDFAST_OPENS_PER_SECOND,
    fleetOpensPerSecond: value.HOLDFAST_FLEET_OPENS_PER_SECOND,
    handshakesInFlight: value.HOLDFAST_HANDSHAKES_IN_FLIGHT,
    workerConnections: value.HOLDFAST_WORKER_CONNECTIONS,
  };
}
