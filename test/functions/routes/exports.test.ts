import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ExportJob } from '../../../shared/archive/archiveJob.ts';
import { makeId, type ConnectionId, type ErasureId, type ExportId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { anAccount, ApiStack } from '../api/apiStack.ts';

type Tenant = Awaited<ReturnType<ApiStack['tenant']>>;

describe('exports and erasures, over the API', () => {
  let stack: ApiStack;
  let tenant: Tenant;
  let connectionId: ConnectionId;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());
  beforeEach(async () => {
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
  });

  const call = (method: string, path: string, body?: unknown, key = tenant.key) =>
    stack.call(method, path, { key, ...(body === undefined ? {} : { body }) });
  const jobs = () => stack.dependencies.archiveJobs;
  const jobOf = async (id: unknown): Promise<ExportJob> => {
    const found = await jobs().find(tenant.tenantId, id as ExportId);
    if (found?.kind !== 'export') throw new Error('the export is gone');
    return found;
  };

  it('are accepted, shown and listed, newest first', async () => {
    const first = await call('POST', '/v1/exports', { connectionId, keptDays: 30 });
    const second = await call('POST', '/v1/exports', { contact: '+49 151 23456789', media: true });
    const listed = await call('GET', '/v1/exports?limit=1');
    const behind = await call('GET', `/v1/exports?limit=1&before=${String(listed.body['next'])}`);

    expect([first.status, first.body]).toMatchObject([
      202,
      { state: 'running', asked: { connectionId, media: false }, counts: {}, parts: 0 },
    ]);
    expect(await jobOf(first.body['id'])).toMatchObject({ keptDays: 30, place: { phase: 'rows' } });
    expect(await jobOf(second.body['id'])).toMatchObject({
      names: ['4915123456789@s.whatsapp.net'],
      place: { phase: 'names' },
    });
    expect([listed.body['data'], behind.body['data']]).toEqual([[second.body], [first.body]]);
    expect((await call('GET', `/v1/exports/${String(first.body['id'])}`)).body).toEqual(first.body);
  });

  it.each([
    [{ chat: '+4915123456789' }, 'connectionId'],
    [{ contact: 'nobody' }, 'contact'],
    [{ contact: '120363041234567890@g.us' }, 'contact'],
    [{ from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' }, 'until'],
    [{ keptDays: 91 }, 'keptDays'],
    [{ format: 'csv' }, 'format'],
  ])('are refused where they make no sense: %j', async (body, field) => {
    const { status, body: problem } = await call('POST', '/v1/exports', body);

    expect([status, problem]).toMatchObject([400, { code: 'invalid_request', fields: [{ field }] }]);
  });

  it('are of connections of the tenant alone', async () => {
    const other = await stack.connection(await stack.tenant(), anAccount);

    const { status, body } = await call('POST', '/v1/exports', { connectionId: other });

    expect([status, body['code']]).toEqual([404, 'connection_not_found']);
  });

  it('are five at once', async () => {
    for (let made = 0; made < 5; made += 1) await call('POST', '/v1/exports', {});

    const { status, body } = await call('POST', '/v1/exports', {});

    expect([status, body['code']]).toEqual([429, 'archive_busy']);
  });

  it('give files out when they are done, under names that they have', async () => {
    const { body } = await call('POST', '/v1/exports', {});
    const path = `/v1/exports/${String(body['id'])}`;
    const early = await call('GET', `${path}/files/manifest.json`);
    const job = await jobOf(body['id']);
    await stack.dependencies.exportFiles.find(job, 'manifest.json');
    await jobs().change(job, { state: 'done', endedAtMs: Date.now(), manifestSha256: 'ab'.repeat(32) });

    const answers = await Promise.all(
      ['manifest.json', 'part-000001-aaaaaaaaaaaa.jsonl.gz', '..%2Fmanifest.json', '%00'].map((name) =>
        call('GET', `${path}/files/${name}`),
      ),
    );

    expect([early.status, early.body['code']]).toEqual([404, 'export_file_not_found']);
    expect(answers.map(({ status, body: problem }) => [status, problem['code']])).toEqual(
      answers.map(() => [404, 'export_file_not_found']),
    );
    expect((await call('GET', path)).body).toMatchObject({
      state: 'done',
      manifest: { path: `${path}/files/manifest.json`, sha256: 'ab'.repeat(32) },
    });
  });

  it('are deleted, also by two at once, and then are being removed', async () => {
    const { body } = await call('POST', '/v1/exports', {});
    const path = `/v1/exports/${String(body['id'])}`;

    const answers = await Promise.all([call('DELETE', path), call('DELETE', path)]);

    expect(answers.map(({ status, body: shown }) => [status, shown['state']])).toEqual([
      [202, 'deleting'],
      [202, 'deleting'],
    ]);
  });

  it('of other tenants, and of nobody, are not found', async () => {
    const { body } = await call('POST', '/v1/exports', {});
    const erasure = await call('POST', '/v1/contact-erasures', { contact: '+4915123456789' });
    const other = await stack.tenant();
    const [exportId, erasureId] = [String(body['id']), String(erasure.body['id'])];
    const nobodys: readonly [ExportId, ErasureId] = [
      makeId('exp', Date.now(), systemRandom),
      makeId('ers', Date.now(), systemRandom),
    ];

    const answers = [
      await call('GET', `/v1/exports/${exportId}`, undefined, other.key),
      await call('DELETE', `/v1/exports/${exportId}`, undefined, other.key),
      await call('GET', `/v1/contact-erasures/${erasureId}`, undefined, other.key),
      await call('GET', `/v1/exports/${nobodys[0]}`),
      await call('GET', `/v1/contact-erasures/${nobodys[1]}`),
      await call('GET', `/v1/contact-erasures/${exportId}`),
      await call('GET', '/v1/exports/schedule'),
    ];

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
  });

  it('of persons are accepted and shown, and name the exports that may name them', async () => {
    const before = await call('POST', '/v1/exports', {});
    const { status, body } = await call('POST', '/v1/contact-erasures', { contact: '236471520047@lid' });
    const listed = await call('GET', '/v1/contact-erasures');

    expect([status, body]).toMatchObject([
      202,
      {
        state: 'running',
        contact: '236471520047@lid',
        removed: {},
        unfinished: 0,
        stays: { exports: [before.body['id']] },
      },
    ]);
    expect(listed.body['data']).toEqual([body]);
    expect((await call('GET', `/v1/contact-erasures/${String(body['id'])}`)).body).toEqual(body);
  });

  it('are made by a schedule, which is changed, read and removed', async () => {
    const none = await call('GET', '/v1/export-schedule');
    const made = await call('PUT', '/v1/export-schedule', { every: 'week', startAt: '2026-01-05T03:00:00Z' });
    const changed = await call('PUT', '/v1/export-schedule', { every: 'day', days: 3, connectionId, keptDays: 90 });
    const read = await call('GET', '/v1/export-schedule');
    const gone = await call('DELETE', '/v1/export-schedule');
    const again = await call('DELETE', '/v1/export-schedule');

    expect([none.status, none.body['code']]).toEqual([404, 'export_not_found']);
    expect(made.body).toMatchObject({ every: 'week', media: false, keptDays: 7 });
    expect(new Date(String(made.body['nextAt'])).toISOString()).toMatch(/T03:00:00\.000Z$/);
    expect(Date.parse(String(made.body['nextAt']))).toBeGreaterThan(Date.now());
    expect(read.body).toEqual(changed.body);
    expect(changed.body).toMatchObject({ every: 'day', days: 3, connectionId, keptDays: 90 });
    expect([gone.status, again.status, (await call('GET', '/v1/export-schedule')).status]).toEqual([204, 204, 404]);
    const far = await call('PUT', '/v1/export-schedule', { every: 'day', startAt: '9999-01-01T00:00:00Z' });
    expect([far.status, far.body]).toMatchObject([400, { fields: [{ field: 'startAt' }] }]);
  });
});

describe('rows of exports, over the API of operators', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  it('are brought back for a connection of the tenant alone, and not by a tenant', async () => {
    const tenant = await stack.tenant();
    const connectionId = await stack.connection(tenant, anAccount);
    const messageId = makeId('msg', Date.now(), systemRandom);
    const row = {
      kind: 'message',
      kept: {
        sk: { S: `MESSAGE#${messageId}` },
        messageId: { S: messageId },
        tenantId: { S: 'tnt_of_somebody_else' },
        direction: { S: 'in' },
        stanzaId: { S: '3EB0' },
        chat: { S: '4915123456789@s.whatsapp.net' },
        sender: { S: '4915123456789@s.whatsapp.net' },
        createdAtMs: { N: String(Date.now()) },
        content: { M: { type: { S: 'text' }, text: { M: { body: { S: 'back again' } } } } },
      },
    };
    const bring = (to: string, key: string, tenantId: string = tenant.tenantId) =>
      stack.call('POST', `/v1/admin/tenants/${tenantId}/connections/${to}/restored-rows`, {
        key,
        raw: `${JSON.stringify(row)}\n`,
        headers: { 'content-type': 'application/x-ndjson' },
      });

    const first = await bring(connectionId, stack.operatorKey);
    const second = await bring(connectionId, stack.operatorKey);
    const other = await bring(connectionId, stack.operatorKey, (await stack.tenant()).tenantId);
    const byTenant = await bring(connectionId, tenant.key);
    const shown = await stack.call('GET', `/v1/connections/${connectionId}/messages/${messageId}`, { key: tenant.key });

    expect([first.status, first.body]).toMatchObject([200, { written: { message: 1 }, there: {} }]);
    expect([second.status, second.body]).toMatchObject([200, { written: {}, there: { message: 1 } }]);
    expect([other.status, byTenant.status]).toEqual([404, 403]);
    expect(shown.body).toMatchObject({ id: messageId, content: { text: { body: 'back again' } } });
  });
});
