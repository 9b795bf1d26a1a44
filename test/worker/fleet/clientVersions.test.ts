import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setVersion, VETTED_VERSION } from '../../../shared/fleet/whatsAppVersion.ts';
import { changeVersionPlan, readVersionPlan } from '../../../shared/fleet/whatsAppVersionStore.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { ClientVersions } from '../../../worker/fleet/clientVersions.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { until } from '../../whatsapp/until.ts';
import { FakeClock } from '../runner/fakes.ts';

const NEW = '2.3000.2000000001';
const READ_EVERY_MS = 30_000;
const CON = 'con_1' as ConnectionId;

describe('the client versions of a worker', () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let table: DynamoDBDocumentClient;
  let stages = 0;
  beforeAll(async () => {
    dynamoDb = await startDynamoDb();
    table = makeDocumentClient(aStoreConfig({ dynamoDb }));
  });
  afterAll(() => dynamoDb.stop());

  const aFleet = async () => {
    const stage = `test${(stages += 1)}`;
    await createTables(dynamoDb.endpoint, stage);
    return { table, stage };
  };
  const aWorker = async (fleet: { readonly table: DynamoDBDocumentClient; readonly stage: string }) => {
    const clock = new FakeClock();
    const metrics = keepingMetrics();
    const changes: string[] = [];
    const versions: ClientVersions = new ClientVersions({
      fleet,
      vetted: VETTED_VERSION,
      readEveryMs: READ_EVERY_MS,
      clock,
      logger: silentLogger,
      metrics,
      onChanged: () => changes.push(versions.of(CON)),
    });
    await versions.start();
    return { versions, clock, metrics, changes };
  };
  const name = (fleet: Awaited<ReturnType<typeof aFleet>>, version: string, percent = 100) =>
    changeVersionPlan(fleet, (plan) => {
      const next = setVersion(plan, { version, percent }, VETTED_VERSION, { by: 'test', atMs: 1 });
      return next === 'already_current' ? plan : next;
    });

  it('use the vetted one until an operator names another, and learn of that within one read', async () => {
    const fleet = await aFleet();
    const { versions, clock, changes } = await aWorker(fleet);
    const before = versions.of(CON);
    await name(fleet, NEW);

    await clock.pass(READ_EVERY_MS);

    await until(
      'the new version',
      () => changes,
      (seen) => seen.length > 0,
    );
    expect([before, ...changes]).toEqual([VETTED_VERSION, NEW]);
    versions.stop();
  });

  it('take one refusal for a mood, and the second within ten minutes for a verdict', async () => {
    const { versions, clock } = await aWorker(await aFleet());

    versions.note(VETTED_VERSION, 'refused');
    const afterOne = versions.isRefused(CON);
    await clock.pass(10 * 60_000);
    versions.note(VETTED_VERSION, 'refused');
    const afterAnotherLater = versions.isRefused(CON);
    versions.note(VETTED_VERSION, 'refused');

    expect([afterOne, afterAnotherLater, versions.isRefused(CON)]).toEqual([false, false, true]);
    versions.stop();
  });

  it('forget a refusal when a login of that version succeeds', async () => {
    const { versions } = await aWorker(await aFleet());

    versions.note(VETTED_VERSION, 'refused');
    versions.note(VETTED_VERSION, 'accepted');
    versions.note(VETTED_VERSION, 'refused');

    expect(versions.isRefused(CON)).toBe(false);
    versions.stop();
  });

  it('tell the other workers of a verdict, and count it once for all of them', async () => {
    const fleet = await aFleet();
    const workers = await Promise.all([aWorker(fleet), aWorker(fleet), aWorker(fleet)]);
    const [first, second, third] = workers;
    for (const worker of [first, second]) {
      worker?.versions.note(VETTED_VERSION, 'refused');
      worker?.versions.note(VETTED_VERSION, 'refused');
    }

    await until(
      'the verdict in the table',
      () => readVersionPlan(fleet),
      ({ refused }) => refused.length > 0,
    );
    await third?.clock.pass(READ_EVERY_MS);
    await until(
      'the verdict at the third',
      () => third?.versions.isRefused(CON),
      (isRefused) => isRefused ?? false,
    );

    await until(
      'one count',
      () => workers.reduce((sum, { metrics }) => sum + metrics.totalOf('ClientVersionRefused'), 0),
      (count) => count === 1,
    );
    expect((await readVersionPlan(fleet)).changes).toHaveLength(1);
    for (const { versions } of workers) versions.stop();
  });

  it('take a canary back at once, so that its connections use the version of all', async () => {
    const fleet = await aFleet();
    await name(fleet, NEW, 99);
    const { versions } = await aWorker(fleet);
    const canary = Array.from({ length: 100 }, (_, id) => `con_${id}` as ConnectionId).find(
      (id) => versions.of(id) === NEW,
    );
    if (canary === undefined) throw new Error('there is no canary');

    versions.note(NEW, 'refused');
    versions.note(NEW, 'refused');

    expect([versions.of(canary), versions.isRefused(canary)]).toEqual([VETTED_VERSION, false]);
    const plan = await until(
      'the roll-back in the table',
      () => readVersionPlan(fleet),
      ({ candidate }) => candidate === undefined,
    );
    expect(plan.changes.map(({ by, kind }) => `${kind} by ${by}`)).toEqual([
      'rolled_back by breaker',
      'refused by breaker',
      'canary by test',
    ]);
    versions.stop();
  });

  it('keep a verdict while the store does not answer, and write it when it does', async () => {
    const fleet = await aFleet();
    const sends = table.send.bind(table) as (command: unknown) => Promise<unknown>;
    let isDown = false;
    const flaky = {
      send: (command: unknown) => (isDown ? Promise.reject(new Error('the store is down')) : sends(command)),
    } as unknown as DynamoDBDocumentClient;
    const { versions, clock } = await aWorker({ ...fleet, table: flaky });
    isDown = true;
    versions.note(VETTED_VERSION, 'refused');
    versions.note(VETTED_VERSION, 'refused');
    await clock.pass(READ_EVERY_MS);
    const whileDown = versions.isRefused(CON);
    isDown = false;

    await clock.pass(READ_EVERY_MS);

    const plan = await until(
      'the verdict in the table',
      () => readVersionPlan(fleet),
      ({ refused }) => refused.length > 0,
    );
    expect([whileDown, plan.refused]).toEqual([true, [VETTED_VERSION]]);
    versions.stop();
  });

  it('try a refused version again when an operator names it again', async () => {
    const fleet = await aFleet();
    const { versions, clock, changes } = await aWorker(fleet);
    versions.note(VETTED_VERSION, 'refused');
    versions.note(VETTED_VERSION, 'refused');
    await until(
      'the verdict in the table',
      () => readVersionPlan(fleet),
      ({ refused }) => refused.length > 0,
    );

    await name(fleet, VETTED_VERSION);
    await clock.pass(READ_EVERY_MS);

    await until(
      'another try',
      () => versions.isRefused(CON),
      (isRefused) => !isRefused,
    );
    expect(changes).toContain(VETTED_VERSION);
    versions.stop();
  });
});
