import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../functions/media/fileSource.ts';
import { makeMediaHandler, type MediaDependencies } from '../../../functions/media/handler.ts';
import { batchEnvelopeSchema } from '../../../shared/event/factBatch.ts';
import { factSchema, type Fact } from '../../../shared/event/facts/factRows.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { deriveMediaId, makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import { BroughtFileStore } from '../../../shared/media/broughtFileStore.ts';
import { TenantFiles } from '../../../shared/media/keptBytes.ts';
import { ObjectHolds } from '../../../shared/media/objectHolds.ts';
import { objectKeyOf, type Media } from '../../../shared/media/media.ts';
import { MediaStore, toMediaItem } from '../../../shared/media/mediaStore.ts';
import { askPausesMs } from '../../../shared/media/phoneAsk.ts';
import { commandSchema, type Command } from '../../../shared/message/command.ts';
import { commandQueueName, eventQueueName, mediaQueueName, mediaTimes } from '../../../shared/platform/queues.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { newIds } from '../../shared/event/eventStores.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';
import { seal } from '../../shared/media/sealed.ts';
import { aRecord, failingQueue, receive, startQueueStack, type QueueStack } from '../queueStack.ts';
import { FileHost, giving } from './fileHost.ts';
import { historyParts } from './historyParts.ts';

const PLAIN = Buffer.from('a picture that was sent three weeks ago '.repeat(500));
const { sealed, key, sha256 } = seal(PLAIN, 'WhatsApp Image Keys');
const SHARD = 1;

describe('a file that WhatsApp no longer has', () => {
  let stack: QueueStack;
  let host: FileHost;
  let source: FileSource;
  let nowMs = Date.now();
  const objects = new MemoryObjects();
  const clock = { ...systemClock, nowMs: () => nowMs };
  beforeAll(async () => {
    [stack, host] = await Promise.all([startQueueStack(), FileHost.start()]);
    source = new FileSource({ origin: host.origin });
  });
  afterAll(async () => {
    await source.close();
    await Promise.all([stack.stop(), host.stop()]);
  });

  async function aFile(given: Partial<Media> = {}): Promise<Media> {
    const messageId = makeId('msg', Date.now(), systemRandom);
    const media: Media = {
      ...newIds(),
      mediaId: deriveMediaId(messageId, 0),
      messageId,
      correlationId: 'cor-of-test' as CorrelationId,
      createdAtMs: Date.now(),
      shard: SHARD,
      type: 'image',
      file: { use: 'image', path: `/gone/${messageId}`, key, sha256, mime_type: 'image/jpeg' },
      told: {},
      state: 'pending',
      round: 1,
      ...given,
    };
    const Item = { ...toMediaItem(media, Date.now()) };
    await stack.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item }));
    return media;
  }
  const store = () => new MediaStore({ ...stack, clock });
  const rowOf = ({ mediaId }: Media) => store().find(mediaId);
  async function run({ tenantId, mediaId }: Media, count = 1, given: Partial<MediaDependencies> = {}) {
    const record = aRecord(JSON.stringify({ version: 1, tenantId, mediaId }));
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(count) };
    const brought = new BroughtFileStore({ ...stack, clock });
    const links = { open: () => Promise.reject(new Error('no link is fetched here')) };
    const sending = {
      uploads: {
        find: async () => undefined,
        write: async () => 'overtaken' as const,
        list: async () => [],
        remove: async () => undefined,
      },
      prepare: async () => ({ refused: 'broken' as const }),
      makePicture: async () => ({ state: 'failed', fault: 'broken' }) as const,
      hosts: { upload: async () => ({ answer: 'token_refused' as const }) },
    };
    const holds = new ObjectHolds({ ...stack, clock });
    const tenantFiles = new TenantFiles({ ...stack, clock });
    const pictures = new PictureStore({ ...stack, clock });
    const parts = {
      ...stack,
      clock,
      pictures,
      media: store(),
      brought,
      holds,
      tenantFiles,
      links,
      source,
      objects,
      sending,
    };
    const handle = makeMediaHandler({ histories: historyParts(stack), ...parts, ...given });
    return (await handle({ Records: [{ ...record, attributes }] })).batchItemFailures.length === 0 ? 'done' : 'again';
  }
  const commands = async (): Promise<readonly Command[]> => {
    const QueueUrl = `${stack.queueUrlBase}${commandQueueName('test', SHARD)}`;
    const taken: Command[] = [];
    for (let found = await receive(stack, QueueUrl); found.length > 0; found = await receive(stack, QueueUrl)) {
      for (const { Body = '', ReceiptHandle } of found) {
        taken.push(commandSchema.parse(JSON.parse(Body)));
        await stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    return taken;
  };
  const told = async (): Promise<readonly Fact[]> => {
    const found = await receive(stack, `${stack.queueUrlBase}${eventQueueName('test')}`);
    return found.flatMap(({ Body = '' }) =>
      batchEnvelopeSchema.parse(JSON.parse(Body)).events.map((fact) => factSchema.parse(fact)),
    );
  };
  const pass = (ms: number): void => void (nowMs += ms);

  it('is asked of the phone by the owner of its connection, and waits', async () => {
    const media = await aFile();

    const outcome = await run(media);

    const { tenantId, connectionId, correlationId, mediaId } = media;
    expect(outcome).toBe('again');
    expect(await commands()).toEqual([{ version: 1, kind: 'file', tenantId, connectionId, correlationId, mediaId }]);
    expect(await rowOf(media)).toMatchObject({ state: 'pending', asked: { times: 1, atMs: nowMs } });
  });

  it('is fetched from where the phone has uploaded it', async () => {
    const media = await aFile();
    await run(media);
    const path = `/again/${media.mediaId}`;
    host.behave(path, giving(sealed));

    const isNoted = await store().noteAnswer(media, 'given', path);
    const outcome = await run(media);

    expect([isNoted, outcome]).toEqual([true, 'done']);
    expect(await rowOf(media)).toMatchObject({ state: 'ready', sha256 });
    const row = await rowOf(media);
    expect(row && objects.kept.get(objectKeyOf(row))?.bytes).toEqual(PLAIN);
    await Promise.all([commands(), told()]);
  });

  it('has failed when the phone says that it does not have it', async () => {
    const media = await aFile();
    await run(media);

    await store().noteAnswer(media, 'absent');
    const outcome = await run(media);

    expect(outcome).toBe('done');
    expect(await told()).toMatchObject([{ media: { state: 'failed', error: { code: 'gone' } } }]);
    await commands();
  });

  it('has failed when the phone never answered, after as many requests as there are pauses', async () => {
    const media = await aFile();
    const outcomes: string[] = [];
    for (const pauseMs of askPausesMs) {
      outcomes.push(await run(media));
      pass(pauseMs);
    }

    const last = await run(media);

    expect(new Set(outcomes)).toEqual(new Set(['again']));
    expect(last).toBe('done');
    expect(await rowOf(media)).toMatchObject({ state: 'failed', fault: 'phone_offline' });
    expect(await commands()).toHaveLength(askPausesMs.length);
    expect(await told()).toMatchObject([{ media: { error: { code: 'phone_offline' } } }]);
  });

  it('is asked for from the beginning when its tenant asks for it again', async () => {
    const media = await aFile({
      state: 'failed',
      fault: 'phone_offline',
      asked: { times: 10, atMs: 0 },
      answer: 'failed',
    });

    await store().ask(media);
    await run(media);

    const row = await rowOf(media);
    expect(row).toMatchObject({ state: 'pending', round: 2, asked: { times: 1 } });
    expect([row?.fault, row?.answer]).toEqual([undefined, undefined]);
    await commands();
  });

  it('is asked for once where two look at it at once, and again where the function died before the command', async () => {
    const media = await aFile();
    const died = await run(media, 1, { queue: failingQueue(stack.queue, 2) });
    const before = await commands();

    await Promise.all([run(media), run(media)]);

    expect([died, before]).toEqual(['again', []]);
    expect(await rowOf(media)).toMatchObject({ asked: { times: 1 } });
    expect(await commands()).toHaveLength(1);
  });

  it('goes on in a new job when its record was given out often', async () => {
    const media = await aFile();

    const outcome = await run(media, mediaTimes.tries);

    const url = `${stack.queueUrlBase}${mediaQueueName('test')}`;
    const early = await receive(stack, url);
    expect([outcome, early]).toEqual(['done', []]);
    expect(await rowOf(media)).toMatchObject({ state: 'pending' });
    await commands();
  });

  it('takes no answer of an earlier round, and none when it has ended', async () => {
    const media = await aFile({ round: 2 });
    const ended = await aFile({ state: 'failed', fault: 'gone' });

    const noted = [
      await store().noteAnswer({ ...media, round: 1 }, 'given', '/elsewhere'),
      await store().noteAnswer(ended, 'given', '/elsewhere'),
    ];

    expect(noted).toEqual([false, false]);
    expect((await rowOf(media))?.file.path).toBe(media.file.path);
  });
});
