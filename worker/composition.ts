import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ConnectionStore } from '../shared/connection/connectionStore.ts';
import { systemClock } from '../shared/kernel/clock.ts';
import { makeId, type StanzaId, type WorkerId } from '../shared/kernel/id.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { MessageStore } from '../shared/message/messageStore.ts';
import {
  makeDocumentClient,
  makeHeartbeatClient,
  makeKeyClient,
  makePollingClient,
  makeQueueClient,
} from '../shared/platform/aws.ts';
import type { WorkerConfig } from '../shared/platform/config.ts';
import { makeKmsKeyProvider, makeLocalKeyProvider, type KeyProvider } from '../shared/platform/keyProvider.ts';
import type { Logger } from '../shared/platform/logger.ts';
import type { Metrics } from '../shared/platform/metrics.ts';
import type { EventPublisher } from './events/eventPublisher.ts';
import { makeSqsEventPublisher } from './events/sqsEventPublisher.ts';
import { startFleetMember, type FleetMember } from './fleet/fleetMember.ts';
import { FleetStore } from './fleet/fleetStore.ts';
import { GateClosedError, type CommitGate } from './fleet/gate.ts';
import { OpenBudget } from './fleet/openBudget.ts';
import { makeConnectionParts } from './runner/connectionParts.ts';
import { OpenMeter } from './runner/openMeter.ts';
import { OwnedShards } from './runner/ownedShards.ts';
import type { SessionSocketsDependencies } from './runner/sessionSockets.ts';
import { makeShardWork } from './runner/shardWork.ts';
import { openSession } from './session/session.ts';
import type { OwnedConnection } from './socket/connectionSocket.ts';
import { openSocket } from './socket/openSocket.ts';
import { prepareProcess } from './socket/prepareProcess.ts';

export interface WorkerOptions {
  readonly config: WorkerConfig;
  readonly logger: Logger;
  /** The lease is dead or gone. Called at most once; from then on nothing may be written. */
  readonly onFenced: () => void;
  /** Something cannot be undone from here: the process must end. */
  readonly onBroken: (error: unknown) => void;
  /** An operator asked this worker to drain. May be called more than once. */
  readonly onDrainRequested: () => void;
  readonly metrics: Metrics;
}

export interface RunningWorker {
  readonly workerId: WorkerId;
  /** Has every shard given to others, each after its work has ended, then ends the lease. Rejects past its deadline. */
  readonly drain: () => Promise<void>;
  /** Closes every socket without logging out and writes nothing. */
  readonly closeSockets: () => Promise<void>;
}

/** Starts a worker: resolves when its lease exists. Throws when the store does not take the lease. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, logger, metrics, onFenced, onBroken, onDrainRequested } = options;
  const { ownership, stage, shardCount, taskId, generation, zone } = config;
  const workerId = makeId('wrk', systemClock.nowMs(), systemRandom);
  const own = logger.child({ workerId });
  const joined: { member?: FleetMember } = {};
  // Shards are made ready first, so that a bad key file is found before there is a lease.
  const gate: CommitGate = {
    isOpen: () => joined.member?.gate.isOpen() ?? false,
    timeLeftMs: () => joined.member?.gate.timeLeftMs() ?? 0,
    assertOpen: () => {
      if (joined.member === undefined) throw new GateClosedError();
      joined.member.gate.assertOpen();
    },
    whenOpen: async (deadlineMs) => {
      if (joined.member === undefined) throw new GateClosedError();
      await joined.member.gate.whenOpen(deadlineMs);
    },
  };
  const budget = new OpenBudget(systemClock, {
    perSecond: ownership.opensPerSecond,
    burst: config.shardCap,
    handshakes: ownership.handshakesInFlight,
  });
  const opens = new OpenMeter(metrics);
  const takeTurn = async (signal: AbortSignal): Promise<() => void> => {
    const askedMs = systemClock.monotonicMs();
    const giveBack = await budget.acquire(signal);
    metrics.measure('OpenBudgetWait', systemClock.monotonicMs() - askedMs, {});
    return giveBack;
  };
  const shards = makeOwnedShards({ config, logger: own, workerId, gate, takeTurn, onBroken, opens, metrics });
  const member = await startFleetMember({
    store: new FleetStore(makeHeartbeatClient(config, ownership.heartbeatTimeoutMs), stage),
    config: ownership,
    shardCount,
    lease: { taskId, workerId, generation, zone },
    clock: systemClock,
    random: systemRandom,
    logger: own,
    metrics,
    load: () => ({ ...shards.count(), waiting: budget.waiting, ...opens.counters() }),
    onOrders: ({ opensPerSecond }) => {
      budget.setRate(opensPerSecond);
      metrics.gauge('ShardsOwned', member.ownedShards().size, {});
    },
    onClaimed: async (shard, epoch) => shards.claimed(shard, epoch),
    onLeaving: (shard) => shards.drain(shard),
    onLost: async (shard) => shards.lost(shard),
    onDrainRequested,
    onBroken,
    onFenced,
  });
  joined.member = member;
  return {
    workerId,
    drain: () => {
      shards.hurry();
      return member.drain();
    },
    closeSockets: () => shards.loseAll(),
  };
}

export interface WorkOptions {
  readonly config: WorkerConfig;
  readonly logger: Logger;
  readonly workerId: WorkerId;
  readonly gate: CommitGate;
  /** Waits for a turn to open a socket; resolves to what gives the handshake slot back. */
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  /** Something cannot be undone from here: the process must end. */
  readonly onBroken: (error: unknown) => void;
  readonly opens: OpenMeter;
  readonly metrics: Metrics;
}

/**
 * All that a worker does with the shards it owns, made of one client per service and purpose. Prepares the process for
 * the socket room; called once.
 */
export function makeOwnedShards(options: WorkOptions): OwnedShards {
  const { config, logger, workerId, gate, takeTurn, onBroken, opens } = options;
  prepareProcess({ rootKey: config.whatsappRootKey });
  const { stage, queueUrlBase, connections: settings } = config;
  const table = makeDocumentClient(config);
  const acting = makeQueueClient(config);
  const polling = makePollingClient(config, config.shardCount, settings.commandWaitSeconds);
  const connections = new ConnectionStore({ table, stage });
  const messages = new MessageStore({ table, stage });
  const common = { clock: systemClock, random: systemRandom, logger, stage, queueUrlBase, acting, connections };
  let batches = 0;
  let facts = 0;
  const publisher = makeSqsEventPublisher({
    queue: acting,
    stage,
    queueUrlBase,
    gate,
    makeBatchId: () => `${workerId}-${(batches += 1)}`,
  });
  const sockets = makeSockets({ config, logger, gate, table, messages, publisher, metrics: options.metrics });
  const parts = makeConnectionParts({
    ...common,
    table,
    messages,
    publisher,
    settings,
    assertOpen: gate.assertOpen,
    sockets,
    takeTurn,
    onBroken,
    opens,
  });
  return new OwnedShards(
    (shard, epoch) =>
      makeShardWork(
        {
          ...common,
          polling,
          parts,
          assertOpen: gate.assertOpen,
          isOpen: gate.isOpen,
          nextFactNumber: () => (facts += 1),
          waitSeconds: settings.commandWaitSeconds,
          visibilitySeconds: settings.commandVisibilitySeconds,
        },
        shard,
        epoch,
      ),
    logger,
  );
}

interface SocketParts extends Pick<WorkOptions, 'config' | 'logger' | 'gate' | 'metrics'> {
  readonly table: DynamoDBDocumentClient;
  readonly messages: MessageStore;
  readonly publisher: EventPublisher;
}

/** How sessions are read and sockets opened on them. */
function makeSockets(parts: SocketParts): SessionSocketsDependencies {
  const { config, logger, gate, table, messages, publisher, metrics } = parts;
  const { stage, storeTimeoutMs, whatsappUrl } = config;
  const common = { gate, clock: systemClock, random: systemRandom };
  const keyProvider = makeKeyProvider(config);
  return {
    openSession: (owned) => openSession(owned, { ...common, table, stage, keyProvider, storeTimeoutMs, metrics }),
    openSocket: ({ owned, session, generation, pairing, onInput }) =>
      openSocket({
        ...common,
        connection: owned,
        session,
        generation,
        pairing,
        publisher,
        config: config.connections,
        whatsappUrl,
        logger: loggerOf(logger, owned).child({ generation }),
        emit: onInput,
        lookUpSent: async (stanzaId: StanzaId) => (await messages.findByStanza(owned.connectionId, stanzaId))?.content,
      }),
  };
}

function makeKeyProvider(config: WorkerConfig): KeyProvider {
  if (config.keyFile !== undefined) return makeLocalKeyProvider(config.keyFile);
  if (config.kmsKeyArn !== undefined) return makeKmsKeyProvider(makeKeyClient(config), config.kmsKeyArn);
  throw new Error('neither a KMS key nor a key file is configured');
}

function loggerOf(logger: Logger, { tenantId, connectionId, shard, token }: OwnedConnection): Logger {
  return logger.child({ tenantId, connectionId, shard, epoch: token });
}
