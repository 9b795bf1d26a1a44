import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { noLoad } from '../../shared/fleet/fleetView.ts';
import { makeId, parseId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { FleetStore } from '../../worker/fleet/fleetStore.ts';
import { ApiStack } from './apiStack.ts';

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
    await fleet.createLease({ ...lease, generation: 1, zone: undefined }, Date.now());
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
