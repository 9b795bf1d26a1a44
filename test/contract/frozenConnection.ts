import { makeWatchdogHandler } from '../../functions/watchdog/handler.ts';
import { composeWatchdog } from '../../functions/watchdog/composition.ts';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { writeDigest } from '../../shared/connection/workerDigest.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { watchdogConfig } from '../../shared/platform/config.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { aFrozenConnection } from '../functions/watchdog/builders.ts';

interface Row {
  readonly shard: number;
  readonly owner: string;
  readonly epoch: number;
}

const SHARD = 0;
/** Longer than any rung is given to help, and not so long that the watchdog begins anew. */
const BETWEEN_RUNS_MS = 150_000;
const MOST_RUNS = 12;
/** Workers show a heartbeat in this time; one that shows none is another case. */
const HEARTBEATS_MS = 1_500;

/** Has the watchdog see a connection that stays frozen, minute after minute, until it has done all that it can do. */
export async function seeFrozen(
  stage: string,
  operator: ApiClient,
  storesOf: (caller: 'watchdog' | 'worker') => StoreConfig,
  hasDoneAll: () => boolean,
): Promise<void> {
  const rules = { ...watchdogConfig({ ...settings, HOLDFAST_STAGE: stage }).rules };
  let nowMs = Date.now();
  const watchdog = composeWatchdog(
    { ...storesOf('watchdog'), rules, ecsCluster: 'none' },
    { stopTask: () => Promise.resolve(), destination: { write: () => undefined } },
  );
  const handler = makeWatchdogHandler({ ...watchdog, clock: { ...systemClock, nowMs: () => nowMs } });
  const fleet = { table: makeDocumentClient(storesOf('worker')), stage };
  for (let run = 1; run <= MOST_RUNS && !hasDoneAll(); run += 1) {
    const rows = (await operator.must('GET', '/v1/admin/fleet'))['shards'] as readonly Row[];
    for (const owner of new Set(rows.map((row) => row.owner))) {
      const shards = rows
        .filter((row) => row.owner === owner)
        .map(({ shard, epoch }) => {
          const suspects = shard === SHARD ? [aFrozenConnection(1, SHARD)] : [];
          return { shard, epoch, count: 1, online: 1, suspected: suspects.length, suspects };
        });
      // The numbers of its own digests are far below.
      const digest = { number: 1_000_000 + run, loopDelayMs: 0, shards };
      await writeDigest(fleet, owner as WorkerId, digest, Date.now());
    }
    await handler();
    nowMs += BETWEEN_RUNS_MS;
    await systemClock.sleep(HEARTBEATS_MS);
  }
  if (!hasDoneAll()) throw new Error('the watchdog did not climb its ladder');
}

/** The settings of production; the caller says where its stores are. */
const settings = {
  HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1/000000000000/',
  HOLDFAST_ECS_CLUSTER: 'none',
} as const;
