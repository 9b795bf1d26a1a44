import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, type ConnectionId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { makeDocumentClient, makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { workerConfig } from '../../shared/platform/config.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { makeWatchedLogger } from '../quiet/watchedLogger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { makeOwnedShards, type WorkOptions } from '../../worker/shardComposition.ts';
import { OpenMeter } from '../../worker/runner/openMeter.ts';
import type { OwnedShards } from '../../worker/commands/ownedShards.ts';
import { openSocket } from '../../worker/socket/openSocket.ts';
import { prepareProcess } from '../../worker/socket/repairs/prepareProcess.ts';
import { openGate } from './fleet/gates.ts';
import { neverRefused } from './fleet/neverRefused.ts';
import { BASE_DELAY_MS, SCALE, SHARD_OF, STABLE_MS } from './matrixTrial.ts';

/** What the worker's sockets do, seen from outside. */
export interface SocketWatch {
  readonly onOpen: (connectionId: ConnectionId) => void;
  readonly onInput: (connectionId: ConnectionId, type: 'socket_opened' | 'socket_closed') => void;
  readonly onBroken: (error: unknown) => void;
}

/** A worker in this process that owns the shards of the matrix without a lease. All that it does for them is real. */
export function startMatrixWorker(
  stores: StoreConfig,
  place: { readonly keyFile: string; readonly whatsappUrl: string; readonly rootKey: string },
  watch: SocketWatch,
  parts: Partial<Pick<WorkOptions, 'takeTurn' | 'versions'>> = {},
): OwnedShards {
  prepareProcess({ rootKey: Buffer.from(place.rootKey, 'hex') });
  const table = makeDocumentClient(stores);
  const config = workerConfig({
    HOLDFAST_STAGE: stores.stage,
    HOLDFAST_QUEUE_URL_BASE: stores.queueUrlBase,
    HOLDFAST_KEY_FILE: place.keyFile,
    HOLDFAST_TASK_ID: 'matrix',
    HOLDFAST_COMMAND_WAIT_SECONDS: '1',
    HOLDFAST_KEEP_ALIVE_MS: '1000',
    HOLDFAST_STABLE_AFTER_MS: String(STABLE_MS),
    BAILEYS_RECONNECT_BASE_DELAY: String(BASE_DELAY_MS),
    BAILEYS_RECONNECT_MAX_DELAY: String(300_000 * SCALE),
    WHATSAPP_URL: place.whatsappUrl,
    WHATSAPP_ROOT_KEY: place.rootKey,
  });
  return makeOwnedShards({
    config,
    logger: makeWatchedLogger(watch.onBroken),
    workerId: makeId('wrk', Date.now(), systemRandom),
    scope: new Scope('worker'),
    gate: openGate,
    takeTurn: async () => () => undefined,
    onBroken: watch.onBroken,
    opens: new OpenMeter(silentMetrics, systemClock.monotonicMs),
    metrics: silentMetrics,
    versions: neverRefused,
    ...parts,
    world: {
      clock: systemClock,
      // Each delay is the longest of its range.
      random: { ...systemRandom, unit: () => 1 - Number.EPSILON },
      fleetTable: table,
      connect: () => ({ table, acting: makeQueueClient(stores) }),
      polling: makePollingClient(stores, Object.keys(SHARD_OF).length, 1),
      keyProvider: makeLocalKeyProvider(place.keyFile),
      joinFleet: () => Promise.reject(new Error('this worker owns its shards without a lease')),
      openSocket: (options) => {
        const { connectionId } = options.connection;
        watch.onOpen(connectionId);
        return openSocket({
          ...options,
          emit: (input) => {
            if (input.type === 'socket_opened' || input.type === 'socket_closed') {
              watch.onInput(connectionId, input.type);
            }
            options.emit(input);
          },
        });
      },
    },
  });
}
