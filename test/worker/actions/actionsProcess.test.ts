import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { composeApi } from '../../../functions/api/composition.ts';
import { makeApiHandler } from '../../../functions/api/handler.ts';
import type { HttpHandler } from '../../../infra/local/gateway.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { markTaskDead } from '../../../shared/fleet/fleetLease.ts';
import { createTenantKey } from '../../../shared/identity/apiKey.ts';
import { enqueueCommand } from '../../../shared/message/command.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { parseId, type ActionId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { invoke, type Answered } from '../../functions/api/apiStack.ts';
import { aBatch } from '../../shared/event/eventStores.ts';
import { until } from '../../whatsapp/until.ts';
import { WorkerRoom } from '../workerRoom.ts';

const OWN = '4915100000001';
const CONTACT = '4915100000002';
const PATIENCE_MS = 90_000;
const WITH_ONCE_ROW = 'test/worker/actions/workerWithOnceRow.ts';

describe('actions through the API and a worker process', { timeout: 240_000 }, () => {
  let room: WorkerRoom;
  let published: ReturnType<WorkerRoom['collectFacts']>;
  let api: ReturnType<typeof composeApi>;
  let handler: HttpHandler;
  let connection: Connection;
  let key: string;
  let tasks = 0;
  beforeAll(async () => {
    room = await WorkerRoom.start([OWN, CONTACT]);
    published = room.collectFacts();
    api = composeApi(room.config());
    handler = makeApiHandler(api);
    await aWorker();
    connection = await room.aPairedConnection(OWN);
    key = (await createTenantKey(api, connection.tenantId, undefined)).secret.reveal();
    await room.dismissAll();
  }, 120_000);
  beforeEach(() => room.phones.clearFaults());
  afterEach(() => killAll());
  afterAll(async () => {
    await published.stop();
    await room.stop();
  });

  const aWorker = (file?: string) =>
    room.aWorker(`task-${(tasks += 1)}`, { BAILEYS_RECONNECT_MAX_DELAY: '2000' }, file).ready;
  /** Kills all workers. Their ends are reported as ECS does, so that nobody waits for the deaths to be seen. */
  async function killAll(): Promise<void> {
    const killed = room.workers.map(({ taskId }) => taskId);
    await room.killAll();
    for (const taskId of killed) await markTaskDead(room.fleetTable, taskId, Date.now());
  }
  async function anOnlineWorker(file?: string): Promise<void> {
    await aWorker(file);
    const isOnline = async () => (await room.rowOf(connection))?.status;
    await until('online', isOnline, (status) => status === 'online', PATIENCE_MS);
    // The status of a row outlives its worker, so that what counts is an answer.
    await until(
      'an answer',
      () => check('wait=5'),
      ({ status }) => status === 200,
      PATIENCE_MS,
    );
  }
  const check = (
    prefer: string,
    more: { readonly expires_at?: string; readonly key?: string } = {},
  ): Promise<Answered> =>
    invoke(handler, 'POST', `/v1/connections/${connection.connectionId}/contacts/check`, {
      key,
      body: { contacts: [`+${CONTACT}`], ...(more.expires_at === undefined ? {} : { expires_at: more.expires_at }) },
      headers: { prefer, ...(more.key === undefined ? {} : { 'idempotency-key': more.key }) },
    });
  const read = async (id: unknown): Promise<Record<string, unknown>> =>
    (await invoke(handler, 'GET', `/v1/actions/${String(id)}`, { key })).body;
  const becomes = (id: unknown, state: string) =>
    until(
      state,
      () => read(id),
      (body) => body['state'] === state,
      PATIENCE_MS,
    );
  const accountQueries = async (): Promise<number> => (await room.phones.stats()).accountQueries[OWN] ?? 0;
  const ends = (id: unknown): number =>
    published.factsOf(connection.connectionId).filter((fact) => fact.kind === 'action_end' && fact.actionId === id)
      .length;

  /** The event that the fact of an action becomes. */
  async function eventOf(id: unknown) {
    await until(
      'the fact',
      () => ends(id),
      (count) => count > 0,
      PATIENCE_MS,
    );
    const stores = { table: room.core.table, stage: 'test', clock: systemClock, random: systemRandom };
    const facts = published
      .factsOf(connection.connectionId)
      .filter((fact) => fact.kind === 'action_end' && fact.actionId === id);
    for (const [place, fact] of facts.entries()) {
      await recordFacts(stores, aBatch(connection, [fact], `${String(id)}-${place}`));
    }
    const { events } = await readEvents(stores, connection.tenantId, undefined, 100);
    return events.filter(({ data }) => 'actionId' in data && data.actionId === id);
  }

  it('answers with what WhatsApp says, within the request, and tells of it in one event', async () => {
    await anOnlineWorker();

    const answer = await check('wait=20');

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      state: 'succeeded',
      result: { contacts: [{ input: `+${CONTACT}`, exists: true, contact: { phoneNumber: `+${CONTACT}` } }] },
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
    const { tenantId, connectionId } = connection;
    const command = { version: 1, kind: 'action', tenantId, connectionId, correlationId: 'cor-again-1', actionId: id };
    await enqueueCommand(api, 0, command as Parameters<typeof enqueueCommand>[2], 'again');
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

  it('asks again for what may be repeated when the worker was killed while it asked', async () => {
    await anOnlineWorker();
    await room.phones.fault({ kind: 'iq_hang', number: OWN, xmlns: 'usync', times: 1 });
    const { body } = await check('wait=0');
    await becomes(body['id'], 'running');

    await killAll();
    await aWorker();
    const ended = await becomes(body['id'], 'succeeded');

    expect(ended).toMatchObject({ result: { contacts: [{ exists: true }] } });
    expect(await eventOf(body['id'])).toHaveLength(1);
  });

  it('never asks again for what must be done once when the worker was killed while it asked', async () => {
    await anOnlineWorker(WITH_ONCE_ROW);
    await room.phones.fault({ kind: 'iq_hang', number: OWN, xmlns: 'usync', times: 1 });
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

  it('keeps what is parked while the connection is away, through a deploy: some of it expires, the rest is done', async () => {
    await anOnlineWorker();
    await room.phones.fault({ kind: 'refuse_upgrade', status: 503 });
    await room.phones.strike({ kind: 'close', number: OWN });
    const statusOf = async () => (await room.rowOf(connection))?.status;
    await until('away', statusOf, (status) => status === 'reconnecting', PATIENCE_MS);

    const refused = await check('wait=20');
    const inTime = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const patient = await check('wait=20', { expires_at: inTime(600_000) });
    const hasty = await check('wait=20', { expires_at: inTime(4_000) });
    const { openActions } = api;
    const open = () => openActions.ofConnection(connection, 10);
    await until('both noted', open, (rows) => rows.length === 2, PATIENCE_MS);
    await room.dismissAll();
    await aWorker();
    const expired = await becomes(hasty.body['id'], 'expired');
    const waiting = await read(patient.body['id']);
    await room.phones.clearFaults();
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
