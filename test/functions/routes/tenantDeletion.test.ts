import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthenticate } from '../../../functions/http/authentication.ts';
import { ArchiveJobs } from '../../../shared/archive/archiveJobs.ts';
import { listTenantWork } from '../../../shared/tenant/tenantWork.ts';
import { anAccount, ApiStack, type Answered } from '../api/apiStack.ts';

type Owner = Awaited<ReturnType<ApiStack['tenant']>>;
const confirm = 'Acme';

describe('DELETE /v1/admin/tenants/{tenantId}', { timeout: 120_000 }, () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  const operate = ({ tenantId }: Owner, method: string, what = '', body?: unknown): Promise<Answered> =>
    stack.call(method, `/v1/admin/tenants/${tenantId}${what}`, {
      key: stack.operatorKey,
      ...(body === undefined ? {} : { body }),
    });
  const aSuspended = async (): Promise<Owner> => {
    const owner = await stack.tenant();
    await operate(owner, 'POST', '/suspend', { reason: 'It leaves us.' });
    return owner;
  };
  const jobOf = ({ tenantId }: Owner) => new ArchiveJobs(stack.dependencies).find(tenantId, 'deletion');

  it('begins the deletion of one that is suspended, and has its connections end', async () => {
    const owner = await stack.tenant();
    const connectionId = await stack.connection(owner, anAccount);
    await operate(owner, 'POST', '/suspend', { reason: 'It leaves us.' });
    await stack.takeCommands();

    const answer = await operate(owner, 'DELETE', '', { confirm });

    expect(answer).toMatchObject({ status: 202, body: { id: owner.tenantId, name: 'Acme', state: 'deleting' } });
    expect(answer.body).not.toHaveProperty('suspended');
    const connection = await stack.dependencies.connections.find(owner.tenantId, connectionId);
    expect([connection?.wanted, await stack.takeCommands()]).toMatchObject([
      'deleted',
      [{ kind: 'control', control: 'unlink', connectionId }],
    ]);
    expect(await jobOf(owner)).toMatchObject({ kind: 'deletion', step: 'connections', tenantId: owner.tenantId });
    const work = (await Array.fromAsync(listTenantWork(stack.dependencies))).filter(
      ({ tenantId }) => tenantId === owner.tenantId,
    );
    expect(work).toMatchObject([{ work: 'delete' }]);
  });

  it('is refused for one that is active, with what to do, and nothing is begun', async () => {
    const owner = await stack.tenant();

    const { status, body } = await operate(owner, 'DELETE', '', { confirm });

    expect([status, body['code']]).toEqual([409, 'tenant_not_suspended']);
    expect(String(body['detail'])).toContain('/suspend');
    expect(await jobOf(owner)).toBeUndefined();
  });

  it.each([{ confirm: 'acme' }, { confirm: 'Acme ' }, { confirm: '' }, {}, { confirm, now: true }, undefined])(
    'is refused where the name is not confirmed: %j',
    async (body) => {
      const owner = await aSuspended();

      const answer = await operate(owner, 'DELETE', '', body);

      expect([400, 415]).toContain(answer.status);
      expect((await operate(owner, 'GET')).body['state']).toBe('suspended');
    },
  );

  it('answers what stands where it is asked for again, and begins nothing a second time', async () => {
    const owner = await aSuspended();

    const answers = await Promise.all([1, 2, 3].map(() => operate(owner, 'DELETE', '', { confirm })));
    const again = await operate(owner, 'DELETE', '', { confirm });

    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(again).toMatchObject({ status: 202, body: { state: 'deleting' } });
    expect(await jobOf(owner)).toMatchObject({ version: 1 });
  });

  it('is the end of its keys, with a reason, and there is no way back', async () => {
    const owner = await aSuspended();
    await operate(owner, 'DELETE', '', { confirm });
    const afresh = stack.with({ authenticate: makeAuthenticate(stack.dependencies) });

    const refused = await afresh.call('GET', '/v1/connections', { key: owner.key });
    const others = [
      await operate(owner, 'POST', '/resume'),
      await operate(owner, 'POST', '/suspend', { reason: 'again' }),
      await operate(owner, 'POST', '/api-keys', {}),
      await operate(owner, 'PATCH', '/quotas', { webhooks: 3 }),
    ];

    expect([refused.status, refused.body['code']]).toEqual([403, 'tenant_deleted']);
    expect(others.map(({ status, body }) => [status, body['code']])).toEqual(
      others.map(() => [409, 'tenant_being_deleted']),
    );
    expect((await operate(owner, 'GET')).body['state']).toBe('deleting');
  });

  it('finds no tenant of another id', async () => {
    const path = '/v1/admin/tenants/tnt_01K3C5F7XQ4T6V8X0Z2B4D6F8H';
    const answer = await stack.call('DELETE', path, { key: stack.operatorKey, body: { confirm } });

    expect([answer.status, answer.body['code']]).toEqual([404, 'tenant_not_found']);
  });

  it('is in the trail of operators, and in that of the tenant', async () => {
    const owner = await aSuspended();
    await operate(owner, 'DELETE', '', { confirm });

    const trail = await stack.call('GET', `/v1/admin/audit?tenantId=${owner.tenantId}`, { key: stack.operatorKey });

    expect((trail.body['data'] as readonly object[])[0]).toMatchObject({
      action: 'DELETE /v1/admin/tenants/{tenantId}',
      asked: { confirm },
      before: { name: 'Acme', state: 'suspended' },
      after: { state: 'deleting' },
      outcome: 'done',
    });
  });
});
