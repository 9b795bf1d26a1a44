import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../functions/media/fileSource.ts';
import { makeMediaHandler } from '../../../functions/media/handler.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { deriveMediaId, makeId, type CorrelationId, type MessageId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import { BroughtFileStore } from '../../../shared/media/broughtFileStore.ts';
import { eraseJobOf, type EraseJob } from '../../../shared/media/eraseJob.ts';
import { TenantFiles } from '../../../shared/media/keptBytes.ts';
import { objectKeyOf, type Media } from '../../../shared/media/media.ts';
import { MediaStore, toMediaItem } from '../../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../../shared/media/objectHolds.ts';
import { UploadStore } from '../../../shared/media/uploadStore.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { newIds } from '../../shared/event/eventStores.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';
import { seal } from '../../shared/media/sealed.ts';
import { aRecord, startQueueStack, type QueueStack } from '../queueStack.ts';
import { FileHost, giving } from './fileHost.ts';
import { historyParts } from './historyParts.ts';

const PLAIN = Buffer.from('a picture of a cat 🐈 '.repeat(1_000));
const { sealed, key, sha256 } = seal(PLAIN, 'WhatsApp Image Keys');

describe('files that are erased', { timeout: 120_000 }, () => {
  let stack: QueueStack;
  let host: FileHost;
  let source: FileSource;
  const objects = new MemoryObjects();
  beforeAll(async () => {
    [stack, host] = await Promise.all([startQueueStack(), FileHost.start()]);
    source = new FileSource({ origin: host.origin });
  });
  afterAll(async () => {
    await source.close();
    await Promise.all([stack.stop(), host.stop()]);
  });

  const clock = systemClock;
  const media = () => new MediaStore({ ...stack, clock });
  const uploads = () => new UploadStore({ ...stack, clock });
  const files = () => new TenantFiles({ ...stack, clock });
  const keysOf = (tenantId: string) => [...objects.kept.keys()].filter((name) => name.includes(tenantId));
  async function aFile({ tenantId, connectionId }: ReturnType<typeof newIds>, messageId?: MessageId): Promise<Media> {
    const of = messageId ?? makeId('msg', Date.now(), systemRandom);
    const path = `/v/cat?${of}`;
    host.behave(path, giving(sealed));
    const row: Media = {
      tenantId,
      connectionId,
      mediaId: deriveMediaId(of, 0),
      messageId: of,
      correlationId: 'cor-of-test' as CorrelationId,
      createdAtMs: Date.now(),
      type: 'image',
      file: { use: 'image', path, key, sha256, mime_type: 'image/jpeg' },
      told: {},
      state: 'pending',
      round: 1,
    };
    const Item = { ...toMediaItem(row, Date.now()) };
    await stack.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item }));
    return row;
  }
  const pictures = (): PictureStore => new PictureStore({ ...stack, clock });
  const handle = (job: object, given: { readonly source?: Pick<FileSource, 'read'> } = {}) =>
    makeMediaHandler({
      ...stack,
      histories: historyParts(stack),
      clock,
      media: media(),
      pictures: pictures(),
      brought: new BroughtFileStore({ ...stack, clock }),
      holds: new ObjectHolds({ ...stack, clock }),
      tenantFiles: files(),
      source,
      links: { open: () => Promise.reject(new Error('no link is fetched here')) },
      objects,
      sending: {
        uploads: uploads(),
        prepare: async () => ({ refused: 'broken' as const }),
        makePicture: async () => ({ state: 'failed', fault: 'broken' }) as const,
        hosts: { upload: async () => ({ answer: 'token_refused' as const }) },
      },
      ...given,
    })({ Records: [aRecord(JSON.stringify(job))] });
  const fetched = async (row: Media): Promise<Media> => {
    const { tenantId, mediaId } = row;
    expect(await handle({ version: 1, tenantId, mediaId })).toEqual({ batchItemFailures: [] });
    const now = await media().find(mediaId);
    expect(now).toMatchObject({ state: 'ready' });
    return now ?? row;
  };
  /** Erases a file as the API does it: its row first, then the job. */
  const erase = async (row: Media): Promise<EraseJob> => {
    expect(await media().erase(row)).toBe(true);
    const job = eraseJobOf(row);
    expect(await handle(job)).toEqual({ batchItemFailures: [] });
    return job;
  };

  it('lose their bytes with the last that has the same, and what was made of them', async () => {
    const ids = newIds();
    const [one, other] = [await fetched(await aFile(ids)), await fetched(await aFile(ids))];
    const prepared = `prepared/${ids.tenantId}/abc`;
    await objects.write(prepared, aByte(), { contentType: 'x' }, new AbortController().signal);
    const upload = { tenantId: ids.tenantId, file: sha256, as: 'image', convert: true, plain: false } as const;
    await uploads().write(upload, undefined, {
      state: 'needs_token',
      key: 'k',
      keyAtMs: 1,
      prepared: { objectKey: prepared, mimeType: 'image/jpeg', bytes: 1, sha256: 'x', isConverted: true },
    });

    const before = await files().keptBytes(ids.tenantId);
    await erase(one);
    const between = [keysOf(ids.tenantId), await files().keptBytes(ids.tenantId)];
    const job = await erase(other);
    await handle(job);

    expect(objectKeyOf(one)).toBe(objectKeyOf(other));
    expect(before).toEqual({ files: 1, bytes: PLAIN.length });
    expect(between).toEqual([[objectKeyOf(one), prepared], before]);
    expect(keysOf(ids.tenantId)).toEqual([]);
    expect(await uploads().find(upload)).toBeUndefined();
    expect(await files().keptBytes(ids.tenantId)).toEqual({ files: 0, bytes: 0 });
    expect(await media().find(one.mediaId)).toMatchObject({ state: 'gone' });
  });

  it('leave nothing where they are being fetched at that moment', async () => {
    const row = await aFile(newIds());
    const { tenantId, mediaId } = row;
    const stops = { read: (...given: Parameters<FileSource['read']>) => whileErased(source.read(...given)) };
    const whileErased = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      yield* bytes;
      await erase(row);
    };

    const answer = await handle({ version: 1, tenantId, mediaId }, { source: stops });

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await media().find(mediaId)).toMatchObject({ state: 'gone' });
    expect(keysOf(tenantId)).toEqual([]);
    expect(await files().keptBytes(tenantId)).toEqual({ files: 0, bytes: 0 });
  });

  it('stay where one was asked for anew before its bytes were removed', async () => {
    const row = await fetched(await aFile(newIds()));
    await media().erase(row);
    const gone = await media().find(row.mediaId);
    await media().ask(gone ?? row);
    const again = await fetched(row);
    await handle(eraseJobOf(row));

    expect(again).toMatchObject({ state: 'ready', round: 2 });
    expect(objects.kept.has(objectKeyOf(again))).toBe(true);
  });

  it('go with a message that was taken back, once its row says so', async () => {
    const messageId = makeId('msg', Date.now(), systemRandom);
    const row = await fetched(await aFile(newIds(), messageId));
    const job = { version: 1, kind: 'erase_message', tenantId: row.tenantId, messageId } as const;

    await handle(job);
    const before = keysOf(row.tenantId);
    const asked = { ...toMediaItem({ ...row, eraseAskedAtMs: Date.now() }, Date.now()) };
    await stack.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: asked }));
    await handle({ ...job, tenantId: newIds().tenantId });
    const others = keysOf(row.tenantId);
    await handle(job);

    expect([before, others]).toEqual([[objectKeyOf(row)], [objectKeyOf(row)]]);
    expect(keysOf(row.tenantId)).toEqual([]);
    expect(await media().find(row.mediaId)).toMatchObject({ state: 'gone' });
  });

  it('are gone when the days are over for which their tenant keeps them', async () => {
    const ids = newIds();
    await files().chooseKeptDays(ids.tenantId, 3);
    const row = await fetched(await aFile(ids));
    const at = (days: number) => new MediaStore({ ...stack, clock: { nowMs: () => Date.now() + days * 86_400_000 } });

    expect(objectKeyOf(row)).toMatch(/^3d\//);
    expect(await at(2.9).find(row.mediaId)).toMatchObject({ state: 'ready' });
    expect(await at(3.1).find(row.mediaId)).toMatchObject({ state: 'gone' });
    expect(await at(3.1).findAll([row.mediaId])).toMatchObject([{ state: 'gone' }]);
  });
});

async function* aByte(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x');
}
