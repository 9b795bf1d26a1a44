import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeAuthenticate } from '../../../functions/http/authentication.ts';
import { workTenant } from '../../../functions/runtime/tenantWork.ts';
import type { WantedState } from '../../../shared/connection/connection.ts';
import { ACTIVE } from '../../../shared/identity/standing.ts';
import { makeId, type ConnectionId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { changeStanding, listTenantWork, type TenantWork } from '../../../shared/tenant/tenantWork.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { anAccount, ApiStack, type Answered, type CallOptions } from '../api/apiStack.ts';

type Owner = Awaited<ReturnType<ApiStack['tenant']>>;

const REASON = 'The invoice of July is not paid. 🧾';
const correlationId = 'cor-of-operator' as CorrelationId;
const always = (): boolean => true;

describe('a tenant that is suspended', { timeout: 120_000 }, () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());
  beforeEach(() => stack.takeCommands());

  const operate = (owner: Pick<Owner, 'tenantId'>, what: string, body?: unknown): Promise<Answered> =>
    stack.call('POST', `/v1/admin/tenants/${owner.tenantId}/${what}`, {
      key: stack.operatorKey,
      ...(body === undefined ? {} : { body }),
    });
  /** A request to a function that has never seen the key. */
  const afresh = (owner: Owner, method: string, path: string, options: CallOptions = {}): Promise<Answered> =>
    stack
      .with({ authenticate: makeAuthenticate(stack.dependencies) })
      .call(method, path, { key: owner.key, ...options });
  const wantedOf = async (
    { tenantId }: Owner,
    ids: readonly ConnectionId[],
  ): Promise<readonly (WantedState | undefined)[]> =>
    Promise.all(ids.map(async (id) => (await stack.dependencies.connections.find(tenantId, id))?.wanted));
  /** A tenant with a connection that is online, one that is off, and one that is to be deleted. */
  const aTenant = async () => {
    const owner = await stack.tenant();
    const ids = [
      await stack.connection(owner, anAccount),
      await stack.connection(owner, anAccount),
      await stack.connection(owner, anAccount),
    ];
    const { connections } = stack.dependencies;
    for (const [at, wanted] of (['online', 'off', 'deleted'] as const).entries()) {
      const id = ids[at];
      if (id !== undefined) await connections.setWanted(owner.tenantId, id, wanted);
    }
    await stack.takeCommands();
    return { owner, ids };
  };
  const openWork = async ({ tenantId }: Owner): Promise<readonly TenantWork[]> =>
    (await Array.fromAsync(listTenantWork(stack.dependencies))).filter((work) => work.tenantId === tenantId);
  const listedOn = async (owner: Owner): Promise<readonly ConnectionId[]> => {
    const shards = await Promise.all([0, 1].map((shard) => stack.dependencies.connections.listOfShard(shard)));
    return shards.flat().flatMap(({ tenantId, connectionId }) => (tenantId === owner.tenantId ? [connectionId] : []));
  };
  /** One pass of reconcile, at a time after now, which may die at one of its calls. */
  const pass = async (laterMs = 0, life = new Life()): Promise<void> => {
    const { dependencies } = stack;
    const parts = {
      ...dependencies,
      table: life.of(dependencies.table),
      queue: life.of(dependencies.queue),
      clock: { ...dependencies.clock, nowMs: () => Date.now() + laterMs },
      logger: silentLogger,
    };
    for (const work of await Array.fromAsync(listTenantWork(dependencies))) {
      await workTenant(parts, work, always).catch((error: unknown) => {
        if (!life.isDead) throw error;
      });
    }
  };

  it('opens nothing with any of its keys, and each answer says why', async () => {
    const { owner, ids } = await aTenant();

    const answer = await operate(owner, 'suspend', { reason: REASON });

    expect(answer).toMatchObject({ status: 200, body: { state: 'suspended', suspended: { reason: REASON } } });
    for (const [method, path] of [
      ['GET', '/v1/connections'],
      ['POST', '/v1/connections'],
      ['GET', `/v1/connections/${ids[0]}`],
      ['GET', '/v1/events'],
      ['GET', '/v1/audit'],
      ['POST', '/v1/events/stream-tickets'],
      ['DELETE', '/v1/webhooks/end_x'],
    ] as const) {
      const { status, body } = await afresh(owner, method, path);
      expect([path, status, body['code']]).toEqual([path, 403, 'tenant_suspended']);
      expect(String(body['detail'])).toContain(REASON);
    }
    expect((await afresh(await stack.tenant(), 'GET', '/v1/connections')).status).toBe(200);
  });

  it('has its connections switched off, and exactly those on again that were on when it is resumed', async () => {
    const { owner, ids } = await aTenant();
    const [online, off, deleted] = ids;

    await operate(owner, 'suspend', { reason: REASON });
    const suspended = [await wantedOf(owner, ids), await listedOn(owner), await stack.takeCommands()] as const;
    await operate(owner, 'resume');
    const resumed = [await wantedOf(owner, ids), await listedOn(owner), await stack.takeCommands()] as const;

    expect(suspended[0]).toEqual(['off', 'off', 'deleted']);
    expect(suspended[1]).toEqual([deleted]);
    expect(suspended[2]).toMatchObject([{ kind: 'control', control: 'stop', connectionId: online }]);
    expect(resumed[0]).toEqual(['online', 'off', 'deleted']);
    expect(new Set(resumed[1])).toEqual(new Set([online, deleted]));
    expect(resumed[2]).toMatchObject([{ kind: 'control', control: 'start', connectionId: online }]);
    expect((await afresh(owner, 'GET', `/v1/connections/${off}`)).body).toMatchObject({ wanted: 'off' });
  });

  it('is shown as suspended, also in the list, and as active when it is resumed', async () => {
    const owner = await stack.tenant();
    const shown = async (): Promise<readonly unknown[]> => {
      const one = await stack.call('GET', `/v1/admin/tenants/${owner.tenantId}`, { key: stack.operatorKey });
      const all = await stack.call('GET', '/v1/admin/tenants?limit=100', { key: stack.operatorKey });
      const listed = (all.body['data'] as readonly { readonly id: string }[]).find(({ id }) => id === owner.tenantId);
      return [one.body, listed];
    };

    await operate(owner, 'suspend', { reason: 'first' });
    const { body } = await operate(owner, 'suspend', { reason: 'second' });
    const before = await shown();
    await operate(owner, 'resume');
    await operate(owner, 'resume');

    expect(before).toEqual([body, body]);
    expect(body).toMatchObject({ state: 'suspended', suspended: { reason: 'second' } });
    for (const one of await shown()) {
      expect(one).toMatchObject({ state: 'active' });
      expect(one).not.toHaveProperty('suspended');
    }
  });

  it('is off for good also where a request that was let in before switched a connection on', async () => {
    const { owner, ids } = await aTenant();
    const [online, off] = ids;
    await operate(owner, 'suspend', { reason: REASON });
    await stack.dependencies.connections.setWanted(owner.tenantId, off as ConnectionId, 'online');

    await pass(1_000);
    const early = await openWork(owner);
    await pass(91_000);

    expect(await wantedOf(owner, ids)).toEqual(['off', 'off', 'deleted']);
    expect(early).toHaveLength(1);
    expect(await openWork(owner)).toEqual([]);
    await operate(owner, 'resume');
    expect(new Set(await listedOn(owner))).toEqual(new Set([online, off, ids[2]]));
  });

  it('and is resumed are done wherever a pass dies, once each', async () => {
    let deaths = 0;
    for (let at = 1, isOver = false; !isOver; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const { owner, ids } = await aTenant();
        const ends: unknown[] = [];
        const states = [{ state: 'suspended', reason: REASON, sinceMs: Date.now() }, ACTIVE] as const;
        isOver = true;
        for (const standing of states) {
          const life = new Life({ at, when });
          const sinceMs = Date.now();
          const work = standing.state === 'active' ? 'resume' : 'suspend';
          await changeStanding(stack.dependencies, standing, {
            tenantId: owner.tenantId,
            work,
            sinceMs,
            correlationId,
          });
          await pass(100_000, life);
          await pass(100_000);
          await pass(100_000);
          ends.push(await wantedOf(owner, ids), await openWork(owner));
          if (life.isDead) [deaths, isOver] = [deaths + 1, false];
        }

        expect([at, when, ...ends]).toEqual([
          at,
          when,
          ['off', 'off', 'deleted'],
          [],
          ['online', 'off', 'deleted'],
          [],
        ]);
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(2 * 2 * 3);
  });

  it('is left alone by a pass that was overtaken', async () => {
    const { owner, ids } = await aTenant();
    const sinceMs = Date.now();
    const late: TenantWork = { tenantId: owner.tenantId, work: 'suspend', sinceMs, correlationId };

    await workTenant({ ...stack.dependencies, logger: silentLogger }, late, always);

    expect(await wantedOf(owner, ids)).toEqual(['online', 'off', 'deleted']);
    expect(await stack.takeCommands()).toEqual([]);
  });

  it('goes on in the next pass where there is no time left', async () => {
    const { owner, ids } = await aTenant();
    const work: TenantWork = { tenantId: owner.tenantId, work: 'suspend', sinceMs: Date.now(), correlationId };
    await changeStanding(stack.dependencies, { state: 'suspended', reason: REASON, sinceMs: 1 }, work);

    const outcome = await workTenant({ ...stack.dependencies, logger: silentLogger }, work, () => false);
    const between = await wantedOf(owner, ids);
    await pass();

    expect([outcome, between[0]]).toEqual(['later', 'online']);
    expect(await wantedOf(owner, ids)).toEqual(['off', 'off', 'deleted']);
  });

  it.each([
    [{}, 400],
    [{ reason: '  ' }, 400],
    [{ reason: 'x'.repeat(301) }, 400],
    [{ reason: 'a', until: 'tomorrow' }, 400],
  ])('is not so by a request in a wrong form', async (body, status) => {
    const owner = await stack.tenant();

    expect((await operate(owner, 'suspend', body)).status).toBe(status);
    expect((await afresh(owner, 'GET', '/v1/connections')).status).toBe(200);
  });

  it('is one that there is', async () => {
    const nobody = { tenantId: makeId('tnt', Date.now(), systemRandom) };

    const answers = [await operate(nobody, 'suspend', { reason: REASON }), await operate(nobody, 'resume')];

    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      [404, 'tenant_not_found'],
      [404, 'tenant_not_found'],
    ]);
    expect(
      await changeStanding(stack.dependencies, ACTIVE, { ...nobody, work: 'resume', sinceMs: 1, correlationId }),
    ).toBe('missing');
  });
});
