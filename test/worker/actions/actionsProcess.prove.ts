import { describe, expect, it } from 'vitest';
import { parseId, type ActionId } from '../../../shared/kernel/id.ts';
import { enqueueCommand } from '../../../shared/message/command.ts';
import { until } from '../../whatsapp/until.ts';
import { OWN, PATIENCE_MS, useActionRoom } from './actionRoom.ts';

const WITH_ONCE_ROW = 'test/worker/actions/workerWithOnceRow.ts';

describe('actions through the API and a worker process', () => {
  const {
    contact,
    room,
    api,
    connection,
    anOnlineWorker,
    aWorker,
    killAll,
    check,
    askFor,
    read,
    becomes,
    accountQueries,
    ends,
    eventOf,
  } = useActionRoom();

  it('answers with what WhatsApp says, within the request, and tells of it in one event', async () => {
    await anOnlineWorker();

    const answer = await check('wait=20');

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      state: 'succeeded',
      result: { contacts: [{ input: contact(), exists: true, contact: { phoneNumber: contact() } }] },
    });
    expect(await eventOf(answer.body['id'])).toEqual([
      expect.objectContaining({
        type: 'action.succeeded',
        data: { actionId: answer.body['id'], kind: 'contacts_check', result: answer.body['result'] },
      }),
    ]);
  });

  it('asks once for two callers with one key, and for a command that comes again', async () => {
    await anOnlineWorker();
    const before = await accountQueries();

    const answers = await Promise.all([1, 2].map(() => check('wait=20', { key: 'twice' })));
    const [id] = answers.map(({ body }) => parseId('act', String(body['id'])) as ActionId);
    const { tenantId, connectionId } = connection();
    const command = { version: 1, kind: 'action', tenantId, connectionId, correlationId: 'cor-again-1', actionId: id };
    await enqueueCommand(api(), 0, command as Parameters<typeof enqueueCommand>[2], 'again');
    await until(
      'told again',
      () => ends(id),
      (count) => count > 1,
      PATIENCE_MS,
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    expect((await accountQueries()) - before).toBe(1);
    expect(await eventOf(id)).toHaveLength(1);
  });

  it('never asks again for what must be done once when the worker was killed while it asked', async () => {
    await anOnlineWorker(WITH_ONCE_ROW);
    await room().phones.fault({ kind: 'iq_hang', number: OWN, xmlns: 'usync', times: 1 });
    const before = await accountQueries();
    const { body } = await check('wait=0');
    await becomes(body['id'], 'running');
    const asked = await accountQueries();

    await killAll();
    await aWorker(WITH_ONCE_ROW);
    const ended = await becomes(body['id'], 'failed');

    expect(ended).toMatchObject({ error: { code: 'outcome_unknown' } });
    expect(await accountQueries()).toBe(asked);
    expect(asked - before).toBeLessThanOrEqual(1);
    expect(await eventOf(body['id'])).toMatchObject([
      { type: 'action.failed', data: { state: 'failed', error: { code: 'outcome_unknown' } } },
    ]);
  });

  it('asks again for what may be repeated when the worker was killed while it asked', async () => {
    await anOnlineWorker();
    await room().phones.fault({ kind: 'iq_hang', number: OWN, xmlns: 'usync', times: 1 });
    const { body } = await check('wait=0');
    await becomes(body['id'], 'running');

    await killAll();
    await aWorker();
    const ended = await becomes(body['id'], 'succeeded');

    expect(ended).toMatchObject({ result: { contacts: [{ exists: true }] } });
    expect(await eventOf(body['id'])).toHaveLength(1);
  });

  it('checks a thousand numbers, and asks for none twice when the worker is killed in the middle', async () => {
    await anOnlineWorker();
    const contacts = Array.from({ length: 1_000 }, (_, index) => `+49151${String(20_000_000 + index)}`);
    const before = await accountQueries();
    const { body } = await askFor('contacts/check', { contacts }, 'wait=0');
    const doneOf = async () =>
      ((await read(body['id']))['progress'] as { readonly done: number } | undefined)?.done ?? 0;
    await until('some are known', doneOf, (done) => done >= 100, PATIENCE_MS);

    await killAll();
    const known = await doneOf();
    await aWorker();
    const ended = await becomes(body['id'], 'succeeded');

    expect(ended).toMatchObject({ progress: { done: 1_000, total: 1_000 } });
    expect((ended['result'] as { readonly contacts: readonly unknown[] }).contacts).toHaveLength(1_000);
    expect(known).toBeLessThan(1_000);
    // One question may have been lost with the worker that asked it.
    expect((await accountQueries()) - before).toBeLessThanOrEqual(21);
    expect(await eventOf(body['id'])).toHaveLength(1);
  });

  it('makes no second group when the worker was killed while it made one, and says that nobody knows', async () => {
    await anOnlineWorker();
    const groups = async (): Promise<number> => (await room().phones.groups()).length;
    const before = await groups();
    await room().phones.fault({ kind: 'iq_hang', number: OWN, xmlns: 'w:g2', times: 1 });
    const { body } = await askFor('groups', { subject: 'made by a worker that dies' }, 'wait=0');
    await becomes(body['id'], 'running');

    await killAll();
    await room().phones.clearFaults();
    await aWorker();
    const ended = await becomes(body['id'], 'failed');
    const unmade = (await groups()) - before;
    const expires_at = new Date(Date.now() + 600_000).toISOString();
    const again = await askFor('groups', { subject: 'made once', expires_at }, 'wait=0');
    const made = await becomes(again.body['id'], 'succeeded');

    expect(made).toMatchObject({ result: { group: { subject: 'made once' } } });
    expect(ended).toMatchObject({ error: { code: 'outcome_unknown' } });
    expect([unmade, (await groups()) - before]).toEqual([0, 1]);
    expect(await eventOf(body['id'])).toMatchObject([{ type: 'action.failed' }]);
  });

  it('keeps what is parked while the connection is away, through a deploy: some of it expires, the rest is done', async () => {
    await anOnlineWorker();
    await room().phones.fault({ kind: 'refuse_upgrade', status: 503 });
    await room().phones.strike({ kind: 'close', number: OWN });
    const statusOf = async () => (await room().rowOf(connection()))?.status;
    await until('away', statusOf, (status) => status === 'reconnecting', PATIENCE_MS);

    const refused = await check('wait=20');
    const inTime = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const patient = await check('wait=20', { expires_at: inTime(600_000) });
    const hasty = await check('wait=20', { expires_at: inTime(4_000) });
    const { openActions } = api();
    const open = () => openActions.ofConnection(connection(), 10);
    await until('both noted', open, (rows) => rows.length === 2, PATIENCE_MS);
    await room().dismissAll();
    await aWorker();
    const expired = await becomes(hasty.body['id'], 'expired');
    const waiting = await read(patient.body['id']);
    await room().phones.clearFaults();
    await becomes(patient.body['id'], 'succeeded');
    await until('nothing open', open, (rows) => rows.length === 0, PATIENCE_MS);

    expect([refused.status, refused.body['code']]).toEqual([409, 'connection_not_online']);
    expect([patient.status, hasty.status]).toEqual([202, 202]);
    expect(expired).toMatchObject({ error: { code: 'expired' } });
    expect(waiting['state']).toBe('accepted');
    expect(await eventOf(hasty.body['id'])).toMatchObject([{ type: 'action.failed', data: { state: 'expired' } }]);
    expect(await eventOf(patient.body['id'])).toMatchObject([{ type: 'action.succeeded' }]);
  });
});
