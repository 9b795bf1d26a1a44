import { z } from 'zod';

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** Timings of ownership (docs/protocol.md, "Numbers"); tests and the embedded stack shrink them. */
export const ownershipSettings = {
  HOLDFAST_HEARTBEAT_MS: positive(5_000),
  HOLDFAST_HEARTBEAT_TIMEOUT_MS: positive(1_500),
  HOLDFAST_FENCE_MS: positive(15_000),
  HOLDFAST_DEATH_MS: positive(25_000),
  HOLDFAST_ORPHAN_CLAIM_MS: positive(60_000),
  HOLDFAST_DRAIN_TIMEOUT_MS: positive(100_000),
  HOLDFAST_LEADER_READ_MS: positive(2_000),
  HOLDFAST_BRAKE_MS: positive(60_000),
  HOLDFAST_GIVE_DEADLINE_MS: positive(30_000),
  HOLDFAST_WATCH_MS: positive(200),
  HOLDFAST_REBALANCE_EVERY_MS: positive(60_000),
  HOLDFAST_REBALANCE_PERCENT: z.coerce.number().int().min(1).max(100).default(10),
  HOLDFAST_CANARY_PERCENT: z.coerce.number().int().min(1).max(100).default(100),
  HOLDFAST_CANARY_HOLD_MS: positive(600_000),
  HOLDFAST_OPENS_PER_SECOND: positive(25),
  HOLDFAST_FLEET_OPENS_PER_SECOND: positive(500),
  HOLDFAST_HANDSHAKES_IN_FLIGHT: positive(10),
  HOLDFAST_WORKER_CONNECTIONS: positive(400),
} as const;

type Settings = { readonly [Name in keyof typeof ownershipSettings]: number };

/** All numbers of ownership (docs/protocol.md, "Numbers"), in one object; tests shrink them in proportion. */
export interface OwnershipConfig {
  readonly heartbeatMs: number;
  /** Deadline of one try; a heartbeat has two. */
  readonly heartbeatTimeoutMs: number;
  /** The gate closes this long after the last acknowledged heartbeat was sent. */
  readonly fenceMs: number;
  /** A worker that showed the same heartbeat for this long is dead. */
  readonly deathMs: number;
  /** Without a leader for this long, each worker claims orphans by itself. */
  readonly orphanClaimMs: number;
  readonly drainTimeoutMs: number;
  /** Between two looks of leader and deputy at the whole fleet. */
  readonly leaderReadMs: number;
  readonly brakeMs: number;
  /** An offer that is not taken up by then is withdrawn. */
  readonly giveDeadlineMs: number;
  /** Between two looks at the row of a shard that is to come. */
  readonly watchMs: number;
  /** At least this long between two rounds of evening out, and after a change of the fleet. */
  readonly rebalanceEveryMs: number;
  /** Most that one round moves, in percent of all shards; at least one. */
  readonly rebalancePercent: number;
  /** Share of the shards that moves to a new generation first. */
  readonly canaryPercent: number;
  /** How long that share is watched before the rest follows. */
  readonly canaryHoldMs: number;
  readonly opensPerSecond: number;
  readonly fleetOpensPerSecond: number;
  readonly handshakesInFlight: number;
  /** So many connections count as a full worker, where the leader says how full the fleet is. */
  readonly workerConnections: number;
}

/** The numbers out of the settings. */
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
