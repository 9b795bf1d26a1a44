/**
 * `npm run restore`: the last step after the Sessions table, or Core and Sessions, were put back from a backup, before workers start again. Runs with
 * the configuration of a worker. Prints one line of JSON; exits 1 with a sentence when a worker is still running.
 */
import { beginEras } from '../shared/event/eventEras.ts';
import { systemClock } from '../shared/kernel/clock.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { makeDocumentClient, makeHeartbeatClient } from '../shared/platform/aws.ts';
import type { WorkerConfig } from '../shared/platform/config.ts';
import { silentMetrics } from '../shared/platform/metrics.ts';
import { readWorkerConfig } from './ecsTask.ts';
import { FleetStore } from './fleet/fleetStore.ts';
import { restoreSessions } from './session/restoreSessions.ts';
import { makeKeyProvider } from './world.ts';

try {
  const config = await readWorkerConfig();
  const sessions = await restore(config);
  // Core may have been put back, too. This comes after the check that no worker runs.
  const logs = await beginEras({ table: makeDocumentClient(config), stage: config.stage, clock: systemClock });
  process.stdout.write(`${JSON.stringify({ ...sessions, logs })}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function restore(config: WorkerConfig) {
  const { stage, shardCount, storeTimeoutMs, ownership } = config;
  const fleetTable = makeHeartbeatClient(config, ownership.heartbeatTimeoutMs);
  return restoreSessions({
    table: makeDocumentClient(config),
    fleetTable,
    fleet: new FleetStore(fleetTable, stage),
    stage,
    shardCount,
    deathMs: ownership.deathMs,
    storeTimeoutMs,
    clock: systemClock,
    random: systemRandom,
    metrics: silentMetrics,
    keyProvider: makeKeyProvider(config),
  });
}
