import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeWatchdogHandler } from '../../functions/watchdog.ts';
import { composeWatchdog } from '../../functions/watchdogComposition.ts';
import { readMemory } from '../../functions/watchdog/watchdogMemory.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { findPairingOffer } from '../../shared/connection/pairingOffer.ts';
import { readDigests } from '../../shared/connection/workerDigest.ts';
import type { FleetView } from '../../shared/fleet/fleetView.ts';
import type { CorrelationId, WorkerId } from '../../shared/kernel/id.ts';
import { enqueueCommand } from '../../shared/message/command.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { watchdogConfig } from '../../shared/platform/config.ts';
import { FleetStore } from '../../worker/fleet/fleetStore.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from './commands/fakes.ts';
import { makeKeyFile, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

const NUMBER = '4915100000009';
const PATIENCE_MS = 30_000;
/** Far longer than any test: no worker finds another dead by itself. */
const NEVER_MS = '86400000';
const DEATH_MS = 5_000;

describe('a worker process that is frozen while no other would notice', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let whatsApp: WhatsAppSimulator;
  let keyFile: ReturnType<typeof makeKeyFile>;
  const workers: WorkerProcess[] = [];
  beforeAll(async () => {
    [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 1);
    queue = makeQueueClient(aStoreConfig({ queues }));
    keyFile = makeKeyFile();
    await new WhatsAppClient(whatsApp.controlUrl).addPhone(NUMBER, 'Own');
  });
  afterEach(async () => {
    for (const worker of workers) worker.signal('SIGKILL');
    for (const worker of workers.splice(0)) await worker.exited;
  });
  afterAll(async () => {
    await Promise.all([whatsApp.stop(), queues.stop(), core.stop()]);
    keyFile.remove();
  });

  const stores = () => ({
    HOLDFAST_STAGE: 'test',
    HOLDFAST_DYNAMODB_ENDPOINT: core.endpoint,
    HOLDFAST_SQS_ENDPOINT: queues.endpoint,
    HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
    HOLDFAST_SHARD_COUNT: '1',
    HOLDFAST_HEARTBEAT_MS: '200',
    HOLDFAST_FENCE_MS: '4000',
    HOLDFAST_DIGEST_MS: '200',
  });
  const aWorker = (): WorkerProcess => {
    const worker = startWorkerProcess({
      ...stores(),
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_TASK_ID: `task-${workers.length}`,
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_DEATH_MS: NEVER_MS,
      HOLDFAST_ORPHAN_CLAIM_MS: NEVER_MS,
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
      HOLDFAST_COMMAND_VISIBILITY_SECONDS: '10',
      BAILEYS_RECONNECT_BASE_DELAY: '300',
      WHATSAPP_URL: whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: whatsApp.rootKey,
    });
    workers.push(worker);
    return worker;
  };
  const fleet = (): Promise<FleetView> => new FleetStore(core.table, 'test').read(1);
  const rowOf = ({ tenantId, connectionId }: Connection): Promise<Connection | undefined> =>
    core.connections.find(tenantId, connectionId);
  const untilOnline = (connection: Connection): Promise<Connection | undefined> =>
    until(
      'online',
      () => rowOf(connection),
      (row) => row?.status === 'online',
      PATIENCE_MS,
    );
  const aPairedConnection = async (): Promise<Connection> => {
    const connection = await core.aConnection({
      account: undefined,
      status: 'unpaired',
      statusCode: 'never_paired',
      pairing: { requestId: 'first', requestedAtMs: Date.now(), method: 'qr' },
    });
    const { tenantId, connectionId } = connection;
    const correlationId = 'cor-test-1' as CorrelationId;
    const command = { version: 1, kind: 'control', control: 'pair', tenantId, connectionId, correlationId } as const;
    await enqueueCommand({ queue, stage: 'test', queueUrlBase: queues.queueUrlBase }, 0, command, 'pair');
    const offer = await until(
      'an offer',
      () => findPairingOffer({ table: core.table, stage: 'test' }, connectionId, Date.now()),
      (found) => found?.method === 'qr',
      PATIENCE_MS,
    );
    await new WhatsAppClient(whatsApp.controlUrl).scan(NUMBER, offer?.method === 'qr' ? offer.qr : '');
    await untilOnline(connection);
    return connection;
  };

  it('loses its shards through the watchdog alone, though it leads; the connection comes back elsewhere', async () => {
    const frozen = aWorker();
    const frozenId = (await frozen.ready) as WorkerId;
    const connection = await aPairedConnection();
    const second = aWorker();
    const secondId = (await second.ready) as WorkerId;
    const before = await until(
      'digests of both',
      () => readDigests({ table: core.table, stage: 'test' }, [frozenId, secondId]),
      (digests) => digests.size === 2,
      PATIENCE_MS,
    );
    const stopped: string[] = [];
    const config = watchdogConfig({
      ...stores(),
      HOLDFAST_ECS_CLUSTER: 'local',
      HOLDFAST_WATCHDOG_DEATH_MS: String(DEATH_MS),
      HOLDFAST_WATCHDOG_EVERY_MS: '20000',
    });
    const watchdog = composeWatchdog(config, {
      stopTask: async (taskId) => void stopped.push(taskId),
      destination: { write: () => undefined },
    });
    const leaderBefore = (await fleet()).leadership.leader;

    frozen.signal('SIGSTOP');
    await until(
      'another owner',
      async () => {
        await makeWatchdogHandler(watchdog)();
        return (await fleet()).shards[0];
      },
      (found) => found?.owner === secondId,
      PATIENCE_MS,
    );
    await until(
      'the connection being open there',
      async () => (await fleet()).leases.find(({ workerId }) => workerId === secondId)?.load.online,
      (online) => online === 1,
      PATIENCE_MS,
    );
    await untilOnline(connection);
    const after = await fleet();
    frozen.signal('SIGCONT');
    const code = await frozen.exited;

    expect([...(before.get(frozenId)?.shards ?? [])].map(({ shard }) => shard)).toEqual([0]);
    expect(leaderBefore).toBe(frozenId);
    expect(after.leadership.leader).toBe(secondId);
    expect(after.leases.find(({ workerId }) => workerId === frozenId)).toMatchObject({
      state: 'DEAD',
      proof: 'observed',
    });
    expect(stopped).toEqual([frozen.taskId]);
    expect(second.lines.filter(({ message }) => message === 'worker without heartbeat')).toEqual([]);
    const { memory } = await readMemory({ table: core.table, stage: 'test' });
    expect(memory.steps).toMatchObject([{ rung: 'confirm_death', reason: 'silent', outcome: 'dead' }]);
    // Thawed, it finds its lease dead and ends without having written.
    expect(code).toBe(2);
  }, 120_000);
});
