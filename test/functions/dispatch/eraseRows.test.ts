import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseConnections } from '../../../functions/dispatch/eraseConnections.ts';
import { processAccess } from '../../../infra/access/access.ts';
import { connectionDeletedKey } from '../../../shared/event/facts/connectionDeletedFact.ts';
import { partitionsOfConnections, tenantPartitions } from '../../../shared/archive/tenantPartitions.ts';
import { noticeIdOf } from '../../../shared/history/historyNotice.ts';
import { NoticeStore } from '../../../shared/history/noticeStore.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Erasures } from '../../../shared/media/erasures.ts';
import { newChatsKey } from '../../../shared/platform/chatKeys.ts';
import { numberLookUpKey } from '../../../shared/platform/contactKeys.ts';
import { bulkLinesKey, bulkSendKey, dueKey, idempotencyKey, parkedKey } from '../../../shared/platform/keys.ts';
import { scanItems, type Item } from '../../../shared/platform/pages.ts';
import { toSentItem } from '../../../shared/message/messageItem.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { aConversation } from '../archive/archiveWorld.ts';
import { aPast, bringHistory } from '../archive/pastOf.ts';
import { aBatch, aMessageFact, aSentMessage, newIds } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { receive, startQueueStack, type QueueStack } from '../queueStack.ts';

type Ids = ReturnType<typeof newIds>;
const ADA = '4915111111111@s.whatsapp.net';
const GROUP = '120363041234567890@g.us';
/** A time after which nobody writes any more what was begun before the deletion. */
const LATER_MS = 660_000;

describe('the rows of a connection that was deleted', { timeout: 120_000 }, () => {
  let stack: QueueStack;
  let batches = 0;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());

  const notice = (ids: Ids) =>
    new NoticeStore(stack).record({
      ...ids,
      noticeId: noticeIdOf({ type: 'recent', chunk: 1, sha256: ids.connectionId }),
      type: 'recent',
      chunk: 1,
      policy: 'recent',
      progress: 100,
      place: { inline: Buffer.from('history') },
      own: { phoneJid: '4915100000001@s.whatsapp.net', lid: undefined },
      correlationId: 'cor-of-test' as CorrelationId,
      shard: 0,
      recordedAtMs: Date.now(),
    });
  const bring = (ids: Ids, messages = 130) => {
    const file = { use: 'document', path: '/v/1', key: 'key', mime_type: 'application/pdf', left: true } as const;
    return bringHistory(stack, ids, [
      ...Array.from({ length: messages }, (_, place) => aPast(ids, { text: `old ${place}`, chat: ADA })),
      aPast(ids, { text: 'with a file', chat: GROUP, sender: ADA, files: [file] }),
    ]);
  };
  const record = (ids: Ids, ...facts: Parameters<typeof aBatch>[1]) =>
    recordFacts({ ...stack, clock: systemClock }, aBatch(ids, facts, `batch-${(batches += 1)}`));
  const isDeleted = (ids: Ids) =>
    record(ids, { kind: 'connection_deleted', key: connectionDeletedKey(ids.connectionId), atMs: Date.now() });
  const run = async (life = new Life(), aheadMs = 0, mayGoOn = (): boolean => true): Promise<void> => {
    const table = life.of(stack.table);
    const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
    const parts = { ...stack, table, clock, queue: life.of(stack.queue), logger: silentLogger };
    const failures: unknown[] = [];
    await eraseConnections(
      { ...parts, erasures: new Erasures(parts) },
      (_erasure, error) => failures.push(error),
      mayGoOn,
    ).catch((error: unknown) => failures.push(error));
    if (!life.isDead) expect(failures).toEqual([]);
  };
  /** All rows that name a connection, but those that say that a fact was handled, and that of its deletion. */
  const rowsOf = async ({ connectionId }: Ids): Promise<readonly Item[]> => {
    const all = await Array.fromAsync(scanItems(stack.table, { TableName: tableName('test', 'core') }));
    const isLeft = ({ pk, sk }: Item): boolean => String(pk) === 'ERASURES' || String(sk).startsWith('FACT#');
    return all.filter((row) => String(row['pk']).includes(connectionId) && !isLeft(row));
  };
  /** A connection with rows of each kind, of which a scheduled bulk send is one. */
  const fill = async (ids: Ids): Promise<readonly string[]> => {
    const nowMs = Date.now();
    const bulkSendId = makeId('blk', nowMs, systemRandom);
    const { connectionId, tenantId } = ids;
    const rows = [
      ...aConversation({ ...ids } as Connection),
      { ...bulkSendKey(connectionId, bulkSendId), state: 'scheduled' },
      { ...bulkLinesKey(bulkSendId, 0), lines: 'to everybody' },
      { ...parkedKey(connectionId, '123456789'), tenantId },
      { ...numberLookUpKey(connectionId, '4915111111111'), lid: '1@lid' },
      { ...newChatsKey(connectionId, 20_000), chats: 1 },
      { ...idempotencyKey(connectionId, 'order-1'), tenantId },
    ];
    for (const Item of rows) {
      await stack.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: { ...Item } }));
    }
    await record(ids, aMessageFact());
    return [bulkLinesKey(bulkSendId, 0).pk];
  };
  const partsOf = (rows: readonly Item[]) => new Set(rows.map(({ pk }) => String(pk).split('#')[0]));
  const linesOf = async (partitions: readonly string[]): Promise<number> => {
    const all = await Array.fromAsync(scanItems(stack.table, { TableName: tableName('test', 'core') }));
    return all.filter(({ pk }) => partitions.includes(String(pk))).length;
  };
  const open = async ({ connectionId }: Ids) =>
    (await Array.fromAsync(new Erasures(stack).list())).filter((one) => one.connectionId === connectionId);
  const filesAsked = async ({ connectionId }: Ids): Promise<number> => {
    const jobs = await receive(stack, `${stack.queueUrlBase}${mediaQueueName('test')}`);
    return jobs
      .map(({ Body = '' }) => JSON.parse(Body) as { connectionId?: string; mediaIds?: readonly string[] })
      .filter((job) => job.connectionId === connectionId)
      .reduce((sum, { mediaIds = [] }) => sum + mediaIds.length, 0);
  };

  it('go with it, those of its history with their files; those of others stay', async () => {
    const [ids, others] = [newIds(), newIds()];
    const [lines, otherLines] = [await fill(ids), await fill(others)];
    await bring(ids);
    await bring(others);
    const before = await rowsOf(others);
    await isDeleted(ids);

    await run();
    const between = partsOf(await rowsOf(ids));
    await run(new Life(), LATER_MS);

    expect([between, await rowsOf(ids), await open(ids), await filesAsked(ids)]).toEqual([
      new Set(['CON', 'PARKED']),
      [],
      [],
      1,
    ]);
    expect([await linesOf(lines), await linesOf(otherLines)]).toEqual([0, 1]);
    expect(await rowsOf(others)).toEqual(before);
  });

  it('leave messages until nothing is due any more, and people and chats not', async () => {
    const ids = newIds();
    await fill(ids);
    const { connectionId, tenantId } = ids;
    const due = dueKey('SEND', connectionId, { atMs: Date.now(), messageId: makeId('msg', Date.now(), systemRandom) });
    const TableName = tableName('test', 'core');
    await stack.table.send(new PutCommand({ TableName, Item: { ...due, tenantId } }));
    await isDeleted(ids);

    await run();
    await run(new Life(), LATER_MS);
    const between = partsOf(await rowsOf(ids));
    await stack.table.send(new DeleteCommand({ TableName, Key: { ...due } }));
    await run(new Life(), 2 * LATER_MS);
    await run(new Life(), 3 * LATER_MS);

    expect(between).toEqual(new Set(['CON', 'DUE', 'PARKED']));
    expect([await rowsOf(ids), await open(ids)]).toEqual([[], []]);
  });

  it('leave a message that is still to end, until it has', async () => {
    const ids = newIds();
    const sent = aSentMessage(ids, { state: 'queued' });
    const TableName = tableName('test', 'core');
    await stack.table.send(new PutCommand({ TableName, Item: { ...toSentItem(sent) } }));
    await isDeleted(ids);

    await run();
    await run(new Life(), LATER_MS);
    const between = await rowsOf(ids);
    await stack.table.send(new PutCommand({ TableName, Item: { ...toSentItem({ ...sent, state: 'failed' }) } }));
    await run(new Life(), 2 * LATER_MS);

    expect(between.map(({ messageId }) => messageId)).toEqual([sent.messageId]);
    expect([await rowsOf(ids), await open(ids)]).toEqual([[], []]);
  });

  it('leave what keeps a fact from being told twice', async () => {
    const ids = newIds();
    const fact = aMessageFact();
    const batch = aBatch(ids, [fact], 'batch-that-comes-twice');
    await recordFacts({ ...stack, clock: systemClock }, batch);
    await isDeleted(ids);
    await run();

    const events = await recordFacts({ ...stack, clock: systemClock }, aBatch(ids, [fact], 'batch-again'));

    expect(events).toEqual([]);
  });

  it('are of each kind that a connection has: each other kind of partition is none of a connection', async () => {
    const kinds = new Set(
      Object.values(processAccess)
        .flatMap(({ tables }) => tables.filter(({ table, onShardIndex }) => table === 'core' && onShardIndex !== true))
        .flatMap(({ keys = [] }) => keys.map((key) => key.split('#')[0] ?? '')),
    );
    const ids = newIds();
    const lines = await fill(ids);
    await bring(ids, 1);
    await notice(ids);
    const due = dueKey('SEND', ids.connectionId, { atMs: 0, messageId: makeId('msg', 0, systemRandom) });
    await stack.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: { ...due } }));

    const filled = [...partsOf(await rowsOf(ids)), ...lines.map((pk) => pk.split('#')[0])];

    expect(new Set(filled)).toEqual(new Set(partitionsOfConnections));
    expect([...kinds].toSorted()).toEqual(Object.keys(tenantPartitions).toSorted());
  });

  it('go wherever a run dies, or stops for its time, and another begins', async () => {
    let deaths = 0;
    for (let [at, isOver] = [1, false]; !isOver; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const ids = newIds();
        await bring(ids, 2);
        await fill(ids);
        await isDeleted(ids);
        const life = new Life({ at, when });
        let steps = 0;

        await run(life);
        await run(new Life(), 0, () => (steps += 1) <= 3);
        await run();
        await run(new Life(), LATER_MS);

        expect([at, when, await rowsOf(ids), await open(ids)]).toEqual([at, when, [], []]);
        deaths += life.isDead ? 1 : 0;
        isOver = !life.isDead;
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(2 * 8);
  });

  it('are looked through once more, as a part of a history may be taken in at that moment', async () => {
    const ids = newIds();
    await notice(ids);
    await bring(ids, 2);
    await isDeleted(ids);

    await run();
    const between = await rowsOf(ids);
    // A run of the media function that had read the notice writes a chat.
    await bring(ids, 1);
    await run();
    await bring(ids, 1);
    const early = await open(ids);
    await run(new Life(), LATER_MS);

    expect([partsOf(between).has('HISTORY'), early.length, await rowsOf(ids), await open(ids)]).toEqual([
      false,
      1,
      [],
      [],
    ]);
  });
});
