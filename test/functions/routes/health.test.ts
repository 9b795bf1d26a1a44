import { PutCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import { EventLagNote } from '../../../shared/event/eventLag.ts';
import { noLoad } from '../../../shared/fleet/fleetView.ts';
import { makeId, parseId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { connectionKey, parkedKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { FleetStore } from '../../../worker/fleet/fleetStore.ts';
import { ApiStack } from '../api/apiStack.ts';

describe('health', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());
  const detailed = (path: string) => stack.call('GET', path, { key: stack.operatorKey });

  it('is ok without a key as long as the API answers, and ready while it reaches its store', async () => {
    const alive = await stack.call('GET', '/health');
    const ready = await stack.call('GET', '/health/ready');

    expect([alive.status, alive.body, ready.status, ready.body]).toEqual([
      200,
      { status: 'ok' },
      200,
      { status: 'ok' },
    ]);
  });

  it('is not ready when the store does not answer, and says no more than that', async () => {
    const silent = Object.assign(Object.create(stack.dependencies.table) as DynamoDBDocumentClient, {
      send: () => Promise.reject(new Error('10.0.0.7 refused the connection')),
    });
    const cut = stack.with({ connections: new ConnectionStore({ table: silent, stage: 'test' }) });

    const ready = await cut.call('GET', '/health/ready');
    const alive = await cut.call('GET', '/health');

    expect([alive.status, ready.status, ready.body['code']]).toEqual([200, 503, 'store_unavailable']);
    expect(JSON.stringify(ready.body)).not.toContain('10.0.0.7');
  });

  it('shows operators every connection, with who answers for it, a shard at a time', async () => {
    const { key, tenantId } = await stack.tenant();
    const made = await Promise.all(
      ['one', 'two', 'three'].map((label) => stack.call('POST', '/v1/connections', { key, body: { label } })),
    );
    const fleet = new FleetStore(stack.dependencies.table, 'test');
    const workerId = makeId('wrk', Date.now(), systemRandom);
    const lease = { taskId: 'task', workerId };
    await fleet.createLease({ ...lease, deployGeneration: 1, zone: undefined }, Date.now());
    const load = { ...noLoad, connections: 3, online: 2 };
    await fleet.heartbeat(lease, { state: 'ALIVE', load, expecting: [] }, Date.now());
    const [row] = (await fleet.read(2)).shards;
    if (row !== undefined) await fleet.claim(row, lease);

    const parse = (id: unknown) => parseId('con', String(id)) ?? makeId('con', 0, systemRandom);
    const waiting = { tenantId, connectionId: parse(made[0]?.body['id']), token: 1 };
    const nextAttemptAtMs = Date.now() + 60_000;
    const status = { status: 'reconnecting', code: 'network_lost', sinceMs: Date.now(), transitions: 1 } as const;
    await stack.dependencies.connections.recordStatus(waiting, { ...status, nextAttemptAtMs });

    const first = await detailed('/health/detailed');
    const second = await detailed(`/health/detailed?shard=${String(first.body['next'])}`);

    const shown = [first, second].flatMap(
      ({ body }) => body['connections'] as Record<'id' | 'nextAttemptAt', string>[],
    );
    expect(shown.map(({ id }) => id).sort()).toEqual(made.map(({ body }) => String(body['id'])).sort());
    expect(
      shown.flatMap(({ id, nextAttemptAt }) => (nextAttemptAt === undefined ? [] : [[id, nextAttemptAt]])),
    ).toEqual([[waiting.connectionId, new Date(nextAttemptAtMs).toISOString()]]);
    expect(first.body).toMatchObject({
      shard: 0,
      fleet: { workers: 1, unowned: 1, connections: 3, online: 2 },
      owner: { worker: workerId },
    });
    expect(second.body['owner']).toBeUndefined();
    expect(second.body['next']).toBeUndefined();
  });

  it('shows stalled sends first, with the sentence, the end of the pause, the age of the oldest message, label and tenant', async () => {
    const { key, tenantId } = await stack.tenant();
    const made = await Promise.all(
      ['well', 'stalled', 'paused'].map((label) => stack.call('POST', '/v1/connections', { key, body: { label } })),
    );
    const [well, stalled, paused] = made.map(({ body }) => parseId('con', String(body['id'])));
    const { table, connections, clock } = stack.dependencies;
    const acceptedAtMs = clock.nowMs() - 300_000;
    const untilMs = clock.nowMs() + 60_000;
    for (const connectionId of [well, stalled, paused]) {
      if (connectionId === undefined) continue;
      const online = {
        status: 'online',
        code: 'open',
        sinceMs: acceptedAtMs - 3_600_000,
        transitions: 1,
        nextAttemptAtMs: undefined,
      } as const;
      // The backlog has had the time to leave.
      await connections.recordStatus({ tenantId, connectionId, token: 1 }, online);
    }
    const core = { TableName: tableName('test', 'core') };
    for (const connectionId of [stalled, paused]) {
      if (connectionId === undefined) continue;
      const messageId = makeId('msg', acceptedAtMs, systemRandom);
      await table.send(
        new PutCommand({
          ...core,
          Item: { ...parkedKey(connectionId, '1'), messageId, sequenceNumber: '1', token: 1 },
        }),
      );
      const waits = { ...core, Key: connectionKey(tenantId, connectionId), ExpressionAttributeValues: { ':n': 1_001 } };
      await table.send(new UpdateCommand({ ...waits, UpdateExpression: 'SET parkedCount = :n' }));
    }
    if (paused !== undefined) {
      const until = { ...core, Key: connectionKey(tenantId, paused), ExpressionAttributeValues: { ':until': untilMs } };
      await table.send(new UpdateCommand({ ...until, UpdateExpression: 'SET sendsPausedUntilMs = :until' }));
    }

    const pages = await Promise.all([0, 1].map((shard) => detailed(`/health/detailed?shard=${shard}`)));

    const orders = pages.map(({ body }) =>
      (body['connections'] as { attention: string }[]).map((one) => one.attention),
    );
    const shown = new Map(
      pages.flatMap(({ body }) => body['connections'] as { id: string }[]).map((one) => [one.id, one]),
    );
    for (const order of orders) {
      expect(order).toEqual(
        order.toSorted((left, right) => 'bad look good'.indexOf(left) - 'bad look good'.indexOf(right)),
      );
    }
    expect(shown.get(String(well))).toMatchObject({ label: 'well', attention: 'good', parkedMessages: 0 });
    expect(shown.get(String(well))).not.toHaveProperty('oldestParkedAt');
    const late = { attention: 'bad', parkedMessages: 1_001, oldestParkedAt: new Date(acceptedAtMs).toISOString() };
    expect(shown.get(String(stalled))).toMatchObject({
      ...late,
      label: 'stalled',
      tenant: tenantId,
      tenantName: expect.any(String),
      reason: 'Sends are stalled. 1001 accepted messages wait, for up to 5 min.',
    });
    expect(shown.get(String(stalled))).not.toHaveProperty('sendsPaused');
    expect(shown.get(String(paused))).toMatchObject({
      ...late,
      sendsPaused: { sentence: expect.stringContaining('did not answer'), until: new Date(untilMs).toISOString() },
    });
  });

  it('shows how far ingest is behind, once it has said so', async () => {
    const { table, stage, clock } = stack.dependencies;
    const before = await detailed('/health/detailed');
    const note = new EventLagNote({ table, stage }, clock.nowMs);
    await note.note([clock.nowMs() - 96_000, clock.nowMs() - 10]);
    // Within ten seconds no second one is written.
    await note.note([clock.nowMs() - 500_000]);

    const after = await detailed('/health/detailed');

    expect(before.body['events']).toBeUndefined();
    const events = after.body['events'] as { readonly lagMs: number; readonly late: boolean };
    expect(events.late).toBe(true);
    expect(Math.floor(events.lagMs / 10_000)).toBe(9);
  });

  it.each<readonly [what: string, path: string, key: 'tenant' | 'operator', status: number]>([
    ['a shard that there is not', '/health/detailed?shard=2', 'operator', 400],
    ['a shard that is no number', '/health/detailed?shard=first', 'operator', 400],
    ['a key of a tenant', '/health/detailed', 'tenant', 403],
  ])('refuses %s with a clear problem', async (_what, path, kind, status) => {
    const { key } = kind === 'tenant' ? await stack.tenant() : { key: stack.operatorKey };

    const answer = await stack.call('GET', path, { key });

    expect(answer.status).toBe(status);
    expect(answer.body['detail'] ?? answer.body['title']).toBeTruthy();
  });
});
