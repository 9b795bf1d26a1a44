import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { composeApi } from '../../../functions/api/composition.ts';
import { makeApiHandler } from '../../../functions/api/handler.ts';
import type { HttpHandler } from '../../../infra/local/gateway.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { markTaskDead } from '../../../shared/fleet/fleetLease.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { invoke, type Answered } from '../../functions/api/apiStack.ts';
import { aBatch } from '../../shared/event/eventStores.ts';
import { keyOfNewTenant } from '../../shared/identity/keyOfNewTenant.ts';
import { until } from '../../whatsapp/until.ts';
import { WorkerRoom } from '../workerRoom.ts';

export const OWN = '4915100000001';
/** The first of the numbers that are asked for: each test has one of its own, as an answer is kept. */
const FIRST_CONTACT = 4_915_100_000_101;
export const PATIENCE_MS = 90_000;

/** The API in this process, with a paired connection, and worker processes that each test starts. To be called in a `describe`. */
export function useActionRoom() {
  let room: WorkerRoom;
  let published: ReturnType<WorkerRoom['collectFacts']>;
  let api: ReturnType<typeof composeApi>;
  let handler: HttpHandler;
  let connection: Connection;
  let key: string;
  let tasks = 0;
  let contacts = 0;
  const contact = (): string => String(FIRST_CONTACT + contacts);
  beforeAll(async () => {
    room = await WorkerRoom.start([OWN]);
    published = room.collectFacts();
    api = composeApi(room.config());
    handler = makeApiHandler(api);
    await aWorker();
    connection = await room.aPairedConnection(OWN);
    key = await keyOfNewTenant(api, connection.tenantId);
    await room.dismissAll();
  });
  beforeEach(async () => {
    await room.phones.clearFaults();
    contacts += 1;
    await room.phones.addPhone(contact(), 'A contact');
  });
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
      () => check('wait=5', { of: OWN }),
      ({ status }) => status === 200,
      PATIENCE_MS,
    );
  }
  const check = (
    prefer: string,
    more: { readonly expires_at?: string; readonly key?: string; readonly of?: string } = {},
  ): Promise<Answered> =>
    invoke(handler, 'POST', `/v1/connections/${connection.connectionId}/contacts/check`, {
      key,
      body: {
        contacts: [`+${more.of ?? contact()}`],
        ...(more.expires_at === undefined ? {} : { expires_at: more.expires_at }),
      },
      headers: { prefer, ...(more.key === undefined ? {} : { 'idempotency-key': more.key }) },
    });
  /** Asks for any other action. */
  const askFor = (path: string, body: object, prefer = 'wait=20'): Promise<Answered> =>
    invoke(handler, 'POST', `/v1/connections/${connection.connectionId}/${path}`, { key, body, headers: { prefer } });
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

  return {
    contact: () => `+${contact()}`,
    room: () => room,
    api: () => api,
    connection: () => connection,
    aWorker,
    anOnlineWorker,
    killAll,
    check,
    askFor,
    read,
    becomes,
    accountQueries,
    ends,
    eventOf,
  };
}
