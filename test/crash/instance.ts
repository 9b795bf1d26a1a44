import { makeId } from '../../shared/kernel/id.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { makeDocumentClient, makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { workerConfig } from '../../shared/platform/config.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { makeOwnedShards } from '../../worker/shardComposition.ts';
import { OpenMeter } from '../../worker/runner/openMeter.ts';
import { openSocket } from '../../worker/socket/openSocket.ts';
import { prepareProcess } from '../../worker/socket/repairs/prepareProcess.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { makeWatchedLogger } from '../quiet/watchedLogger.ts';
import { openGate } from '../worker/fleet/gates.ts';
import { neverRefused } from '../worker/fleet/neverRefused.ts';
import { watchClock, watchKeys, watchQueue, watchSocketWrites, watchTable } from './ports.ts';
import type { PortWatch } from './portWatch.ts';

/** Where one worker finds its world, and what it owns in it. */
export interface InstanceWorld {
  readonly stage: string;
  readonly dynamoDbEndpoint: string;
  readonly sqsEndpoint: string;
  readonly queueUrlBase: string;
  readonly keyFile: string;
  readonly whatsappUrl: string;
  /** 32 bytes in hex. */
  readonly rootKey: string;
  readonly shard: number;
  /** Higher than that of every worker before. */
  readonly epoch: number;
}

/** Short, so that what a dead worker had in its hands comes back soon; the sample of a test run waits for it. */
const COMMAND_VISIBILITY_SECONDS = 1;
/** How long one poll of the command queue waits. That of a dead worker may still swallow a command for as long. */
export const COMMAND_WAIT_SECONDS = 1;

/**
 * Claims a shard and works it as a worker process does: runners, command poller, outbox, session store, socket room; all
 * of it real. Leases are left out: who owns the shard is decided by the caller. Never ends by itself.
 */
export function startInstance(
  world: InstanceWorld,
  watch: PortWatch,
  listener: { readonly onCaughtUp: () => void; readonly onBroken: (error: unknown) => void },
): void {
  const { stage, shard, epoch } = world;
  prepareProcess({ rootKey: Buffer.from(world.rootKey, 'hex') });
  watchSocketWrites(watch);
  const stores = aStoreConfig(
    {
      dynamoDb: { endpoint: world.dynamoDbEndpoint },
      queues: { endpoint: world.sqsEndpoint, queueUrlBase: world.queueUrlBase },
    },
    { stage },
  );
  const config = workerConfig({
    HOLDFAST_STAGE: stage,
    HOLDFAST_QUEUE_URL_BASE: world.queueUrlBase,
    HOLDFAST_KEY_FILE: world.keyFile,
    HOLDFAST_TASK_ID: 'crash',
    WHATSAPP_URL: world.whatsappUrl,
    WHATSAPP_ROOT_KEY: world.rootKey,
    BAILEYS_RECONNECT_BASE_DELAY: '200',
    BAILEYS_RECONNECT_MAX_DELAY: '1000',
    HOLDFAST_OPEN_WITHIN_MS: '10000',
    HOLDFAST_SERVER_ACK_TIMEOUT_MS: '5000',
    HOLDFAST_PACE_BUDGETS: 'off',
    HOLDFAST_COMMAND_WAIT_SECONDS: String(COMMAND_WAIT_SECONDS),
  });
  const workerId = makeId('wrk', systemClock.nowMs(), systemRandom);
  const shards = makeOwnedShards({
    config: {
      ...config,
      connections: { ...config.connections, commandVisibilitySeconds: COMMAND_VISIBILITY_SECONDS },
    },
    logger: makeWatchedLogger(listener.onBroken),
    workerId,
    scope: new Scope('worker'),
    gate: openGate,
    takeTurn: async () => () => undefined,
    onBroken: listener.onBroken,
    opens: new OpenMeter(silentMetrics, systemClock.monotonicMs),
    metrics: silentMetrics,
    versions: neverRefused,
    world: {
      clock: watchClock(systemClock, watch),
      random: systemRandom,
      fleetTable: makeDocumentClient(stores),
      connect: ({ assertOpen, timeLeftMs }) => {
        const guards = { beforeTry: assertOpen, timeLeftMs };
        return {
          table: watchTable(makeDocumentClient(stores, guards), watch),
          acting: watchQueue(makeQueueClient(stores, guards), watch),
        };
      },
      polling: watchQueue(makePollingClient(stores, 1, config.connections.commandWaitSeconds), watch),
      keyProvider: watchKeys(makeLocalKeyProvider(world.keyFile), watch),
      joinFleet: () => Promise.reject(new Error('this worker owns its shard without a lease')),
      openSocket: (options) =>
        openSocket({
          ...options,
          emit: (input) => {
            options.emit(input);
            if (input.type === 'caught_up') listener.onCaughtUp();
          },
        }),
    },
  });
  shards.claimed(shard, epoch);
}
