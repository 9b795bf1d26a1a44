import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditTrails } from '../../../shared/audit/auditTrail.ts';
import { createOperatorKey } from '../../../shared/identity/apiKey.ts';
import type { OperatorRole } from '../../../shared/identity/principal.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { anAccount, ApiStack, type Answered, type CallOptions } from '../api/apiStack.ts';

type Entry = Readonly<Record<string, unknown>>;
type Owner = Awaited<ReturnType<ApiStack['tenant']>>;

describe('the trail of audit', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  const ask = (owner: Owner, method: string, path: string, options: CallOptions = {}): Promise<Answered> =>
    stack.call(method, path, { key: owner.key, ...options });
  const trailOf = async (owner: Owner, query = ''): Promise<readonly Entry[]> => {
    const { status, body } = await ask(owner, 'GET', `/v1/audit?limit=100${query}`);
    expect(status).toBe(200);
    return body['data'] as readonly Entry[];
  };
  const operatorsTrail = async (query = '', key = stack.operatorKey): Promise<readonly Entry[]> => {
    const { body } = await stack.call('GET', `/v1/admin/audit?limit=100${query}`, { key });
    return body['data'] as readonly Entry[];
  };

  /** The trail of the stack, of which some calls fail. */
  const trailWith = (failing: Partial<AuditTrails>): AuditTrails => {
    const { audit } = stack.dependencies;
    return {
      ask: (...asked) => audit.ask(...asked),
      end: (...ended) => audit.end(...ended),
      list: (...listed) => audit.list(...listed),
      ...failing,
    };
  };

  it('has each change of a tenant: who, from where, what there was before and after', async () => {
    const owner = await stack.tenant();
    const connectionId = await stack.connection(owner, anAccount);
    const correlation = { 'x-correlation-id': 'cor-of-audit-1' };
    const path = `/v1/connections/${connectionId}`;

    await ask(owner, 'PATCH', path, { body: { label: 'till', metadata: { pin: '1234' } } });
    await ask(owner, 'PATCH', path, { body: { label: 'till 2 ☕' }, headers: correlation });

    const [entry] = await trailOf(owner);
    expect(entry).toMatchObject({
      actor: { role: 'tenant', keyId: expect.stringMatching(/^key_/), address: '127.0.0.1' },
      action: 'PATCH /v1/connections/{connectionId}',
      correlationId: 'cor-of-audit-1',
      ids: { connectionId },
      asked: { label: 'till 2 ☕' },
      before: { label: 'till', wanted: 'online' },
      after: { label: 'till 2 ☕', wanted: 'online' },
      outcome: 'done',
      httpStatus: 200,
    });
    expect(JSON.stringify(await trailOf(owner))).not.toContain('1234');
  });

  it('has what was refused, and what was asked of another tenant in the trail of who asked', async () => {
    const [owner, other] = [await stack.tenant(), await stack.tenant()];
    const foreign = await stack.connection(other);

    await ask(owner, 'DELETE', `/v1/connections/${foreign}`);

    const [entry, ...made] = await trailOf(owner);
    expect(made.map(({ action }) => action)).toEqual(['POST /v1/admin/tenants/{tenantId}/api-keys']);
    expect([entry]).toMatchObject([
      {
        action: 'DELETE /v1/connections/{connectionId}',
        ids: { connectionId: foreign },
        outcome: 'refused',
        httpStatus: 404,
        code: 'connection_not_found',
      },
    ]);
    expect((await trailOf(other)).map(({ action }) => action)).toEqual([
      'POST /v1/connections',
      'POST /v1/admin/tenants/{tenantId}/api-keys',
    ]);
  });

  it('has no request that a key may not make, whose form is wrong, or that only reads or sends', async () => {
    const owner = await stack.tenant();
    const connectionId = await stack.connection(owner, anAccount);
    const before = (await trailOf(owner)).length;

    const answers = [
      await ask(owner, 'PATCH', `/v1/connections/${connectionId}`, { body: { lable: 'x' } }),
      await ask(owner, 'POST', '/v1/admin/tenants', { body: { name: 'mine' } }),
      await ask(owner, 'GET', '/v1/connections'),
      await ask(owner, 'POST', `/v1/connections/${connectionId}/messages`, {
        body: { type: 'text', to: '+4915100000002', text: { body: 'hello' } },
      }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 403, 200, 202]);
    expect(await trailOf(owner)).toHaveLength(before);
  });

  it('never has the secret of a key or of a webhook, nor what its address says', async () => {
    const owner = await stack.tenant();
    const url = 'https://93.184.216.34/T0KEN?sig=S1GNED';
    const made = await ask(owner, 'POST', '/v1/webhooks', { body: { url, headers: { 'x-key': 'H1DDEN' } } });
    const changed = await ask(owner, 'POST', `/v1/webhooks/${String(made.body['id'])}/secret`, { body: {} });

    const text = JSON.stringify([
      await trailOf(owner),
      await operatorsTrail(),
      await operatorsTrail(`&tenantId=${owner.tenantId}`),
    ]);

    expect([made.status, changed.status]).toEqual([201, 200]);
    for (const hidden of ['T0KEN', 'S1GNED', 'H1DDEN', made.body['secret'], changed.body['secret'], owner.key]) {
      expect(text).not.toContain(String(hidden));
    }
    expect(text).toContain('93.184.216.34');
  });

  it('has a webhook as it was before, also one that is deleted', async () => {
    const owner = await stack.tenant();
    const made = [];
    for (const events of [['message.received'], ['message.status']]) {
      const { body } = await ask(owner, 'POST', '/v1/webhooks', { body: { url: 'https://93.184.216.34/', events } });
      made.push(String(body['id']));
    }

    await ask(owner, 'PATCH', `/v1/webhooks/${made[1]}`, { body: { events: null } });
    await ask(owner, 'DELETE', `/v1/webhooks/${made[0]}`);

    const [deleted, changed] = await trailOf(owner);
    expect(changed).toMatchObject({ before: { events: ['message.status'] }, asked: { events: null } });
    expect(changed?.['after']).not.toHaveProperty('events');
    expect(deleted).toMatchObject({ before: { url: '93.184.216.34', events: ['message.received'] }, httpStatus: 204 });
  });

  it('is read page by page and by actor, action and time', async () => {
    const owner = await stack.tenant();
    for (let count = 0; count < 4; count += 1) await ask(owner, 'POST', '/v1/connections', { body: {} });
    await ask(owner, 'PATCH', '/v1/tenant', { body: { fileDays: 30 } });
    const all = await trailOf(owner);

    const seen: unknown[] = [];
    for (let before = ''; ;) {
      const { body } = await ask(owner, 'GET', `/v1/audit?limit=2${before}`);
      seen.push(...(body['data'] as readonly Entry[]).map(({ id }) => id));
      if (body['hasMore'] !== true) break;
      before = `&before=${String(body['next'])}`;
    }
    const ids = (entries: readonly Entry[]) => entries.map(({ id }) => id);
    const { keyId = '' } = (all[0]?.['actor'] ?? {}) as { readonly keyId?: string };
    const later = encodeURIComponent(new Date(Date.now() + 86_400_000).toISOString());
    const [first] = ids(all.toReversed());

    expect(seen).toEqual(ids(all));
    expect(all.length).toBeGreaterThanOrEqual(6);
    expect(await trailOf(owner, '&action=PATCH%20/v1/tenant')).toEqual([all[0]]);
    expect((await trailOf(owner, `&actor=${keyId}`)).length).toBe(5);
    expect(await trailOf(owner, `&actor=${makeId('key', 0, systemRandom)}`)).toEqual([]);
    expect(await trailOf(owner, `&since=${later}`)).toEqual([]);
    expect(ids(await trailOf(owner, `&until=${later}`))).toEqual(ids(all));
    expect(ids(await trailOf(owner, `&since=${later}&until=2001-01-01T00:00:00Z`))).toEqual([]);
    expect((await trailOf(owner, `&until=${later}&before=${String(all[0]?.['id'])}`))[0]).toEqual(all[1]);
    expect(await trailOf(owner, `&before=${String(first)}`)).toEqual([]);
    expect((await ask(owner, 'GET', '/v1/audit?before=evt_1')).body['code']).toBe('invalid_cursor');
    expect((await ask(owner, 'GET', '/v1/audit?since=yesterday')).body['code']).toBe('invalid_request');
  });

  it('has what operators do about a tenant in both trails, and tells the tenant no more than the role', async () => {
    const owner = await stack.tenant();

    const [seen] = await trailOf(owner);
    const [operators] = await operatorsTrail('&action=POST%20/v1/admin/tenants/%7BtenantId%7D/api-keys');
    const [ofTenant] = await operatorsTrail(`&tenantId=${owner.tenantId}`);

    expect(seen).toMatchObject({ actor: { role: 'operator' }, after: { state: 'active' }, outcome: 'done' });
    expect(seen?.['actor']).toEqual({ role: 'operator' });
    expect(operators).toMatchObject({ id: seen?.['id'], actor: { address: '127.0.0.1' } });
    expect(ofTenant).toEqual(operators);
    expect((await stack.call('GET', '/v1/admin/audit?tenantId=hello', { key: stack.operatorKey })).body['code']).toBe(
      'tenant_not_found',
    );
  });

  it('has the making of an operator key at the command line', async () => {
    const identity = stack.dependencies;
    const { keyId } = await createOperatorKey(identity, { operatorRole: 'operate', by: 'ada' });

    const [entry] = await operatorsTrail('&action=create-operator-key');

    expect(entry).toMatchObject({
      actor: { role: 'command_line', by: 'ada' },
      asked: { keyId, operatorRole: 'operate' },
      outcome: 'done',
    });
  });

  it('refuses a change that cannot be written down first, and nothing has changed', async () => {
    const owner = await stack.tenant();
    const connectionId = await stack.connection(owner, anAccount);
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    const mute = stack.with({ audit: trailWith({ ask: () => Promise.reject(throttled) }) });

    const answer = await mute.call('PATCH', `/v1/connections/${connectionId}`, {
      key: owner.key,
      body: { label: 'x' },
    });

    expect([answer.status, answer.body['code']]).toEqual([503, 'store_unavailable']);
    expect((await ask(owner, 'GET', `/v1/connections/${connectionId}`)).body).not.toHaveProperty('label');
  });

  it('answers what was done also where its end cannot be written down, and then knows of no end', async () => {
    const owner = await stack.tenant();
    const forgetful = stack.with({ audit: trailWith({ end: () => Promise.reject(new Error('gone')) }) });

    const answer = await forgetful.call('PATCH', '/v1/tenant', { key: owner.key, body: { fileDays: 7 } });

    const [entry] = await trailOf(owner);
    expect([answer.status, answer.body['fileDays']]).toEqual([200, 7]);
    expect(entry).toMatchObject({ asked: { fileDays: 7 }, outcome: 'unknown' });
    expect(entry).not.toHaveProperty('httpStatus');
  });

  describe('and roles of operators', () => {
    const keyOf = async (operatorRole: OperatorRole): Promise<string> =>
      (await createOperatorKey(stack.dependencies, { operatorRole, by: 'test' })).secret.reveal();

    it.each<[OperatorRole, readonly number[]]>([
      ['read', [200, 200, 403, 403, 403]],
      ['operate', [200, 200, 200, 403, 403]],
      ['admin', [200, 200, 200, 201, 200]],
    ])('%s opens what it is for, and nothing above it', async (role, statuses) => {
      const key = await keyOf(role);
      const call = async (method: string, path: string, body?: unknown): Promise<Answered> =>
        stack.call(method, path, { key, ...(body === undefined ? {} : { body }) });

      const answers = [
        await call('GET', '/v1/admin/tenants'),
        await call('GET', '/v1/admin/audit'),
        await call('POST', '/v1/admin/dead-letters/redrive', { all: true, by: 'ada' }),
        await call('POST', '/v1/admin/tenants', { name: 'New' }),
        await call('POST', '/v1/admin/dead-letters/discard', { all: true, by: 'ada' }),
      ];

      expect(answers.map(({ status }) => status)).toEqual(statuses);
      const refused = answers.filter(({ status }) => status === 403).map(({ body }) => String(body['detail']));
      expect(refused.filter((detail) => !detail.includes(`and this one has ${role}`))).toEqual([]);
    });
  });
});
