import type { ConnectionVitals, Evidence } from '../../../shared/connection/liveness.ts';
import type { ShardDigest, WorkerDigest } from '../../../shared/connection/workerDigest.ts';
import type { FleetView } from '../../../shared/fleet/fleetView.ts';
import type { ConnectionId, TenantId, WorkerId } from '../../../shared/kernel/id.ts';
import type { WatchdogRules } from '../../../shared/platform/watchdogConfig.ts';

/** The rules of production. */
export const rules: WatchdogRules = {
  everyMs: 60_000,
  heartbeatMs: 5_000,
  staleMs: 90_000,
  connectingMs: 150_000,
  deathMs: 25_000,
  restartRestMs: 60_000,
  handOffRestMs: 120_000,
  stopRestMs: 180_000,
  stopEveryMs: 600_000,
  recoveredMs: 300_000,
};

export const healthyEvidence: Evidence = {
  phase: 'open',
  phaseMs: 3_600_000,
  lastFrameMs: 4_000,
  // A quiet account: no sign of anything.
  lastHandledMs: 3_000_000,
  lastAckMs: undefined,
  oldestUnhandledMs: undefined,
  oldestUnacknowledgedMs: undefined,
  oldestLockMs: undefined,
};

export const aConnectionId = (number: number): ConnectionId => `con_${String(number).padStart(3, '0')}` as ConnectionId;

/** An open connection that is well, unless said otherwise. */
export function aConnection(
  number: number,
  shard: number,
  evidence: Partial<Evidence> = {},
  runnerBusyMs?: number,
): ConnectionVitals {
  return {
    tenantId: 'tnt_one' as TenantId,
    connectionId: aConnectionId(number),
    shard,
    runnerBusyMs,
    evidence: { ...healthyEvidence, ...evidence },
  };
}

/** One from which WhatsApp sends nothing any more. */
export const aFrozenConnection = (number: number, shard: number): ConnectionVitals =>
  aConnection(number, shard, { lastFrameMs: 95_000 });

/** The digest of a shard of 50 connections that are online, except its suspects. */
export function aShardDigest(
  shard: number,
  epoch: number,
  suspects: readonly ConnectionVitals[] = [],
  overrides: Partial<ShardDigest> = {},
): ShardDigest {
  return { shard, epoch, count: 50, online: 50 - suspects.length, suspected: suspects.length, suspects, ...overrides };
}

/** Digests of all owners of a fleet, in which these connections look unwell. */
export function digestsOf(
  { leases, shards }: FleetView,
  number: number,
  suspects: readonly ConnectionVitals[] = [],
): ReadonlyMap<WorkerId, WorkerDigest> {
  return new Map(
    leases
      .filter(({ state }) => state !== 'DEAD')
      .map(({ workerId }) => [
        workerId,
        {
          number,
          loopDelayMs: 1,
          shards: shards
            .filter(({ owner }) => owner === workerId)
            .map(({ shard, epoch }) =>
              aShardDigest(
                shard,
                epoch,
                suspects.filter((one) => one.shard === shard),
              ),
            ),
        },
      ]),
  );
}
