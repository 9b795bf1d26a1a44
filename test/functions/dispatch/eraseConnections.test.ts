import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseConnections } from '../../../functions/dispatch/eraseConnections.ts';
import { FileSource } from '../../../functions/media/fileSource.ts';
import { makeMediaHandler } from '../../../functions/media/handler.ts';
import { connectionDeletedKey } from '../../../shared/event/facts/connectionDeletedFact.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { MediaId } from '../../../shared/kernel/id.ts';
import { BroughtFileStore } from '../../../shared/media/broughtFileStore.ts';
import { Erasures } from '../../../shared/media/erasures.ts';
import { TenantFiles } from '../../../shared/media/keptBytes.ts';
import { askForFiles } from '../../../shared/media/mediaJob.ts';
import { MediaStore } from '../../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../../shared/media/objectHolds.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import { UploadStore } from '../../../shared/media/uploadStore.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import { aBatch, aMessageFact, newIds } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';
import { seal } from '../../shared/media/sealed.ts';
import { Life } from '../../shared/message/acceptWorld.ts';
import { FileHost, giving } from '../media/fileHost.ts';
import { receive, startQueueStack, toSqsEvent, type QueueStack } from '../queueStack.ts';
import { historyParts } from '../media/historyParts.ts';

type Ids = ReturnType<typeof newIds>;

const clock = systemClock;
/** When messages come. Their order is that of these times. */
const AT = Date.UTC(2026, 7, 1);
/** A time after which nobody writes any more what was begun before the deletion. */
const LATER_MS = 660_000;

describe('the files of a connection that was deleted', { timeout: 120_000 }, () => {
  let stack: QueueStack;
  let host: FileHost;
  let source: FileSource;
  let batches = 0;
  let files = 0;
  const objects = new MemoryObjects();
  beforeAll(async () => {
    [stack, host] = await Promise.all([startQueueStack(), FileHost.start()]);
    source = new FileSource({ origin: host.origin });
  });
  afterAll(async () => {
    await source.close();
    await Promise.all([stack.stop(), host.stop()]);
  });

  const media = () => new MediaStore({ ...stack, clock });
  const keysOf = ({ tenantId }: Ids) => [...objects.kept.keys()].filter((name) => name.includes(tenantId));
  const record = (ids: Ids, ...facts: Parameters<typeof aBatch>[1]) =>
    recordFacts({ ...stack, clock }, aBatch(ids, facts, `batch-${(batches += 1)}`));
  /** The queue of media, as its function works it until it is empty. */
  async function workMedia(): Promise<number> {
    const QueueUrl = `${stack.queueUrlBase}${mediaQueueName('test')}`;
    const handle = makeMediaHandler({
      ...stack,
      histories: historyParts(stack),
      clock,
      media: media(),
      pictures: new PictureStore({ ...stack, clock }),
      brought: new BroughtFileStore({ ...stack, clock }),
      holds: new ObjectHolds({ ...stack, clock }),
      tenantFiles: new TenantFiles({ ...stack, clock }),
      source,
      links: { open: () => Promise.reject(new Error('no link is fetched here')) },
      objects,
      sending: {
        uploads: new UploadStore({ ...stack, clock }),
        prepare: async () => ({ refused: 'broken' as const }),
        makePicture: async () => ({ state: 'failed', fault: 'broken' }) as const,
        hosts: { upload: async () => ({ answer: 'token_refused' as const }) },
      },
    });
    for (let jobs = 0; ;) {
      const messages = await receive(stack, QueueUrl);
      if (messages.length === 0) return jobs;
      expect(await handle(toSqsEvent(messages))).toEqual({ batchItemFailures: [] });
      for (const { ReceiptHandle } of messages) {
        await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        jobs += 1;
      }
    }
  }
  /** A document comes, is fetched and kept. */
  async function aFile(ids: Ids, text = `file ${(files += 1)}`, atMs = AT): Promise<MediaId> {
    const { sealed, key, sha256 } = seal(Buffer.from(text), 'WhatsApp Document Keys');
    const path = `/v/${encodeURIComponent(text)}`;
    host.behave(path, giving(sealed));
    const content = { type: 'document', document: { mime_type: 'application/pdf' } } as const;
    const file = { use: 'document', path, key, sha256, mime_type: 'application/pdf' } as const;
    const [event] = await record(ids, aMessageFact({ content, files: [file], atMs }));
    const [shown] = (JSON.parse(event?.text ?? '') as { data: { media: { id: MediaId }[] } }).data.media;
    const mediaId = shown?.id ?? ('' as MediaId);
    await askForFiles(stack, [{ version: 1, tenantId: ids.tenantId, mediaId }]);
    await workMedia();
    expect(await media().find(mediaId)).toMatchObject({ state: 'ready' });
    return mediaId;
  }
  const isDeleted = (ids: Ids) =>
    record(ids, { kind: 'connection_deleted', key: connectionDeletedKey(ids.connectionId), atMs: Date.now() });
  /** One run, which may die at one of its calls. */
  const run = async (life = new Life(), mayGoOn = (): boolean => true, aheadMs = 0): Promise<readonly unknown[]> => {
    const failures: unknown[] = [];
    const table = life.of(stack.table);
    const erasures = new Erasures({ ...stack, table });
    const now = { ...clock, nowMs: () => Date.now() + aheadMs };
    const parts = { ...stack, table, clock: now, queue: life.of(stack.queue), erasures, logger: silentLogger };
    await eraseConnections(parts, (_erasure, error) => failures.push(error), mayGoOn).catch((error: unknown) => {
      if (!life.isDead) throw error;
    });
    return failures;
  };
  const open = () => Array.fromAsync(new Erasures(stack).list());
  const stateOf = async (mediaId: MediaId) => (await media().find(mediaId))?.state;

  it('are gone with their bytes, and messages with them; those of others, also with the same bytes, stay', async () => {
    const ids = newIds();
    const other = { ...newIds(), tenantId: ids.tenantId };
    const [own, shared] = [await aFile(ids), await aFile(ids, 'the same bytes')];
    const elsewhere = await aFile(other, 'the same bytes');
    await record(ids, aMessageFact());

    const [event] = await isDeleted(ids);
    const failures = await run();
    const jobs = await workMedia();

    expect(JSON.parse(event?.text ?? '')).toMatchObject({ type: 'connection.deleted', data: {} });
    expect([failures, jobs]).toEqual([[], 1]);
    expect([await stateOf(own), await stateOf(shared), await stateOf(elsewhere)]).toEqual(['gone', 'gone', 'ready']);
    expect(keysOf(ids)).toHaveLength(1);
    expect(await new TenantFiles({ ...stack, clock }).keptBytes(ids.tenantId)).toMatchObject({ files: 1 });
    const page = { before: undefined, limit: 10, nowMs: Date.now() };
    await run(new Life(), undefined, LATER_MS);
    expect((await stack.messages.list(ids.connectionId, page)).messages).toEqual([]);
    expect((await stack.messages.list(other.connectionId, page)).messages).toHaveLength(1);
    expect(await open()).toEqual([]);
  });

  it('are gone wherever a run dies, or stops for its time, and another begins', async () => {
    let deaths = 0;
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const when of ['before', 'after'] as const) {
        const ids = newIds();
        const own = [await aFile(ids), await aFile(ids)];
        await isDeleted(ids);
        const life = new Life({ at, when });

        await run(life);
        await run(new Life(), () => false);
        await run();
        await run(new Life(), undefined, LATER_MS);
        await workMedia();

        expect([at, when, ...(await Promise.all(own.map(stateOf)))]).toEqual([at, when, 'gone', 'gone']);
        expect([keysOf(ids), await open()]).toEqual([[], []]);
        if (life.isDead) deaths += 1;
        isOver = !life.isDead;
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(2 * 4);
  });

  it('are gone in steps, of thousands of messages, each told to the queue once', async () => {
    const ids = newIds();
    const first = await aFile(ids, 'the first', AT - 1);
    for (let batch = 0; batch < 11; batch += 1) {
      await record(ids, ...Array.from({ length: 100 }, () => aMessageFact({ atMs: AT })));
    }
    const last = await aFile(ids, 'the last', AT + 1);
    await isDeleted(ids);
    let steps = 0;

    await run(new Life(), () => (steps += 1) <= 2);
    const between = await open();
    await run();
    const jobs = await workMedia();

    expect(between).toMatchObject([
      { connectionId: ids.connectionId, after: expect.stringMatching(/^msg_/) as unknown },
    ]);
    expect([await stateOf(first), await stateOf(last), jobs]).toEqual(['gone', 'gone', 2]);
  });
});
