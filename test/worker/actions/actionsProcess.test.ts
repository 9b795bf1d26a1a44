import { describe, expect, it } from 'vitest';
import { parseId, type ActionId } from '../../../shared/kernel/id.ts';
import { enqueueCommand } from '../../../shared/message/command.ts';
import { until } from '../../whatsapp/until.ts';
import { OWN, PATIENCE_MS, useActionRoom } from './actionRoom.ts';

const WITH_ONCE_ROW = 'test/worker/actions/workerWithOnceRow.ts';

/** `actionsProcess.prove.ts` kills a worker at what may be repeated, and lets actions wait through a deploy. */
describe('actions through the API and a worker process', { timeout: 240_000 }, () => {
  const {
    contact,
    room,
    api,
    connection,
    anOnlineWorker,
    aWorker,
    killAll,
    check,
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
});
