import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { setVersion, VETTED_VERSION } from '../../shared/fleet/whatsAppVersion.ts';
import { changeVersionPlan } from '../../shared/fleet/whatsAppVersionStore.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { ClientVersions } from '../../worker/fleet/clientVersions.ts';
import { OpenBudget } from '../../worker/fleet/openBudget.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { keepingMetrics } from '../shared/platform/keepingMetrics.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { startWhatsApp } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startMatrixWorker } from './matrixWorker.ts';
import { askedForQr, untilQr } from './pairedConnection.ts';
import { makeKeyFile } from './workerProcess.ts';

silenceConsole();

const STAGE = 'test';
const COUNT = 16;
const HANDSHAKES = 3;
const NEW = '2.3000.2000000001';
const DEADLINE_MS = 60_000;

describe('a worker whose client version WhatsApp refuses', () => {
  const metrics = keepingMetrics();
  const stops: (() => Promise<unknown> | void)[] = [];
  const connections: Connection[] = [];
  const broken: unknown[] = [];
  let client: WhatsAppClient;
  let store: ConnectionStore;
  let fleet: { readonly table: ReturnType<typeof makeDocumentClient>; readonly stage: string };

  const aConnection = async (index: number): Promise<Connection> => {
    const connection: Connection = {
      tenantId: makeId('tnt', Date.now(), systemRandom),
      connectionId: makeId('con', Date.now(), systemRandom),
      label: undefined,
      shard: 0,
      wanted: 'online',
      ...askedForQr(),
      statusSinceMs: 0,
      createdAtMs: Date.now(),
      parkedCount: 0,
    };
    await client.addPhone(numberOf(index), `Phone ${index}`);
    await store.create(connection, 100);
    return connection;
  };
  const numberOf = (index: number): string => String(4915200000000 + index);
  const pair = async (connection: Connection, index: number): Promise<void> => {
    await client.scan(numberOf(index), await untilQr(fleet, connection, DEADLINE_MS));
  };
  const statuses = async (): Promise<readonly string[]> =>
    Promise.all(
      connections.map(async ({ tenantId, connectionId }) => {
        const row = await store.find(tenantId, connectionId);
        return `${row?.status}/${row?.statusCode}`;
      }),
    );
  const allAre = (wanted: string) =>
    until(`${wanted} of all`, statuses, (seen) => seen.every((status) => status === wanted), DEADLINE_MS);

  beforeAll(async () => {
    const [dynamoDb, queues, whatsApp] = await Promise.all([startDynamoDb(), startQueues(), startWhatsApp()]);
    const keyFile = makeKeyFile();
    stops.push(keyFile.remove, dynamoDb.stop, queues.stop, () => whatsApp.stop());
    client = new WhatsAppClient(whatsApp.controlUrl);
    await Promise.all([createTables(dynamoDb.endpoint, STAGE), createQueues(queues.endpoint, STAGE, 1)]);
    const stores = aStoreConfig({ dynamoDb, queues });
    fleet = { table: makeDocumentClient(stores), stage: STAGE };
    store = new ConnectionStore(fleet);
    for (let index = 0; index < COUNT; index += 1) connections.push(await aConnection(index));
    const versions: ClientVersions = new ClientVersions({
      fleet,
      vetted: VETTED_VERSION,
      readEveryMs: 200,
      clock: systemClock,
      logger: silentLogger,
      metrics,
      onChanged: () => shards.versionChanged(),
    });
    const budget = new OpenBudget(systemClock, { perSecond: 100, burst: 10, handshakes: HANDSHAKES });
    const { webSocketUrl: whatsappUrl, rootKey } = whatsApp;
    const shards = startMatrixWorker(
      stores,
      { keyFile: keyFile.path, whatsappUrl, rootKey },
      { onOpen: () => undefined, onInput: () => undefined, onBroken: (error) => void broken.push(error) },
      { versions, takeTurn: (signal) => budget.acquire(signal) },
    );
    await versions.start();
    shards.claimed(0, 1);
    stops.unshift(() => shards.loseAll(), versions.stop.bind(versions));
    await Promise.all(connections.map(pair));
    await allAre('online/open');
  }, 150_000);
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  it('logs in with it a few times in all, and comes back by itself when an operator names another', async () => {
    await client.fault({ kind: 'refuse_version', version: VETTED_VERSION });
    await client.strike({ kind: 'close' });

    await allAre('failed/client_outdated');
    const refused = (await client.stats()).refusedVersions;
    await changeVersionPlan(fleet, (plan) => {
      const asked = { version: NEW, percent: 100 };
      const next = setVersion(plan, asked, VETTED_VERSION, { by: 'test', atMs: Date.now() });
      return next === 'already_current' ? plan : next;
    });
    await allAre('online/open');

    const stats = await client.stats();
    // Two for the verdict, and what was on its way meanwhile.
    const logins = Object.values(refused).reduce((sum, count) => sum + count, 0);
    expect(logins).toBeLessThanOrEqual(2 * HANDSHAKES);
    expect(Math.max(...Object.values(refused))).toBeLessThanOrEqual(2);
    expect(stats.refusedVersions).toEqual(refused);
    expect(stats.versions[NEW]).toBe(COUNT);
    expect(metrics.totalOf('ClientVersionRefused')).toBe(1);
    expect(broken).toEqual([]);
  }, 150_000);

  it('leaves those alone that are online while a canary is refused, and brings its connections back by itself', async () => {
    const CANARY = '2.3000.2000000002';
    await client.fault({ kind: 'refuse_version', version: CANARY });
    await changeVersionPlan(fleet, (plan) => {
      const asked = { version: CANARY, percent: 50 };
      const next = setVersion(plan, asked, VETTED_VERSION, { by: 'test', atMs: Date.now() });
      return next === 'already_current' ? plan : next;
    });
    await until(
      'a canary that was refused and rolled back',
      async () => {
        if ((await statuses()).every((status) => status === 'online/open')) await client.strike({ kind: 'close' });
        return changeVersionPlan(fleet, (plan) => plan);
      },
      ({ plan }) => plan.candidate === undefined,
      DEADLINE_MS,
    );

    await allAre('online/open');

    const { refusedVersions } = await client.stats();
    const { plan } = await changeVersionPlan(fleet, (seen) => seen);
    expect(plan).toMatchObject({ current: NEW, refused: [VETTED_VERSION, CANARY] });
    expect(plan.changes[0]).toMatchObject({ by: 'breaker', kind: 'rolled_back', version: CANARY });
    expect(Object.keys(refusedVersions).length).toBeGreaterThan(0);
    expect(broken).toEqual([]);
  }, 150_000);
});
