import type { SQSRecord } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchPicture } from '../../../functions/media/fetchPicture.ts';
import { FileSource } from '../../../functions/media/fileSource.ts';
import { handlePictureJob, type PictureJobDependencies } from '../../../functions/media/handlePictureJob.ts';
import { makePicture } from '../../../functions/media/prepare/makePicture.ts';
import { toThumbnail } from '../../../shared/content/thumbnail.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId, type CorrelationId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { BroughtFileStore } from '../../../shared/media/broughtFileStore.ts';
import { keepPicture, pictureFile, toKeptPicture, type ShownPicture } from '../../../shared/media/keepPicture.ts';
import { MediaStore } from '../../../shared/media/mediaStore.ts';
import { PICTURE_BYTES, type PictureUse } from '../../../shared/media/pictureBytes.ts';
import type { PictureJob } from '../../../shared/media/pictureJob.ts';
import { PictureStore, type PreparedPicture } from '../../../shared/media/pictureStore.ts';
import { commandQueueName, mediaQueueName } from '../../../shared/platform/queues.ts';
import { newIds } from '../../shared/event/eventStores.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';
import { Head } from '../../whatsapp/media/inside.ts';
import { samples } from '../../whatsapp/media/sampleFiles.ts';
import { aRecord, receive, startQueueStack, type QueueStack } from '../queueStack.ts';
import { FileHost, giving } from './fileHost.ts';
import { gifOf, pngOf } from './prepare/madePictures.ts';
import { Preparing } from './prepare/preparing.ts';

const inside = (bytes: Uint8Array) => {
  const head = new Head();
  head.update(bytes);
  return head.read();
};

describe('a file that is made a picture', () => {
  const preparing = new Preparing();
  afterAll(() => preparing.stop());

  const make = async (bytes: Uint8Array, as: PictureUse = 'portrait'): Promise<PreparedPicture> => {
    const objectKey = `x/${preparing.objects.kept.size}`;
    preparing.objects.kept.set(objectKey, { bytes: Buffer.from(bytes), contentType: '', storedAtMs: 0 });
    return makePicture(preparing, { objectKey }, as, new AbortController().signal);
  };

  it.each([
    ['a wide one is cut to the middle', pngOf({ width: 2_000, height: 1_000 }), 640],
    ['a small one stays as large as it is', pngOf({ width: 300, height: 400 }), 300],
    ['a tiny one is made as large as phones take it', Buffer.from(samples.smallPng, 'base64'), 192],
    ['of one that moves the first is taken', gifOf(500, 500, 3), 500],
  ])('%s', async (_which, bytes, edge) => {
    const made = await make(bytes);
    const jpeg = made.state === 'ready' ? made.jpeg : Buffer.alloc(0);

    expect(made.state).toBe('ready');
    expect(inside(jpeg)).toMatchObject({ format: 'jpeg', width: edge, height: edge });
    expect(jpeg.length).toBeLessThanOrEqual(PICTURE_BYTES.portrait);
    // Nothing of what a camera writes down is in it.
    expect(Buffer.from(jpeg).includes('Exif')).toBe(false);
  });

  it.each([
    ['is empty', Buffer.alloc(0), 'empty'],
    ['is none', Buffer.from('%PDF-1.7 nothing'), 'wrong_type'],
    ['breaks off', pngOf({ width: 100, height: 100 }).subarray(0, 60), 'broken'],
    ['is a bomb', pngOf({ width: 60_000, height: 60_000, rows: Buffer.alloc(0) }), 'too_many_pixels'],
  ])('refuses one that %s', async (_which, bytes, fault) => {
    expect(await make(bytes)).toEqual({ state: 'failed', fault });
  });

  it('is small enough for a card that its readers take for a small picture', async () => {
    const made = await make(pngOf({ width: 900, height: 600 }), 'card');
    const jpeg = made.state === 'ready' ? made.jpeg : Buffer.alloc(0);

    expect(inside(jpeg)).toMatchObject({ format: 'jpeg', width: 192, height: 192 });
    expect(toThumbnail(jpeg)).toBeDefined();
  });

  it('says that a file is gone', async () => {
    const signal = new AbortController().signal;
    expect(await makePicture(preparing, { objectKey: 'nowhere' }, 'portrait', signal)).toEqual({
      state: 'failed',
      fault: 'gone',
    });
  });
});

describe('pictures in the queue of media', () => {
  let stack: QueueStack;
  let host: FileHost;
  beforeAll(async () => {
    [stack, host] = await Promise.all([startQueueStack(), FileHost.start()]);
  });
  afterAll(() => Promise.all([stack.stop(), host.stop()]));

  const clock = systemClock;
  const pictures = (): PictureStore => new PictureStore({ ...stack, clock });
  async function aJob(): Promise<PictureJob> {
    const { tenantId, connectionId } = newIds();
    const mediaId = makeId('med', Date.now(), systemRandom);
    const file = { mediaId, tenantId, broughtBy: 'upload', state: 'ready', objectKey: 'x', createdAtMs: 0 } as const;
    await new BroughtFileStore({ ...stack, clock }).create(file);
    return {
      version: 1,
      kind: 'picture',
      tenantId,
      connectionId,
      shard: 1,
      correlationId: 'cor' as CorrelationId,
      mediaId,
      as: 'portrait',
    };
  }
  const jpeg = Buffer.from('jpeg');
  let made = 0;
  const run = (
    job: PictureJob,
    over: Partial<PictureJobDependencies> = {},
    record: SQSRecord = aRecord('', { id: job.mediaId }),
  ) =>
    handlePictureJob(
      {
        ...stack,
        clock,
        random: systemRandom,
        media: new MediaStore({ ...stack, clock }),
        pictures: pictures(),
        makePicture: async () => {
          made += 1;
          return { state: 'ready', jpeg };
        },
        ...over,
      },
      job,
      record,
    );
  const told = async (): Promise<number> =>
    (await receive(stack, `${stack.queueUrlBase}${commandQueueName('test', 1)}`)).length;

  it('makes one, tells the worker, and makes none twice', async () => {
    const job = await aJob();
    const before = made;

    expect(await run(job)).toBe('done');
    expect(await run(job, {}, aRecord('', { id: 'again' }))).toBe('done');

    expect(Buffer.from((await pictures().find(job.mediaId, 'portrait'))?.state === 'ready' ? jpeg : [])).toEqual(jpeg);
    expect(made - before).toBe(1);
    expect(await told()).toBeGreaterThan(0);
  });

  it("makes nothing of another tenant's file", async () => {
    const job = await aJob();
    const before = made;

    expect(await run({ ...job, tenantId: 'tnt_other' as TenantId })).toBe('done');

    expect(made).toBe(before);
    expect(await pictures().find(job.mediaId, 'portrait')).toBeUndefined();
  });

  it('keeps what is wrong with a file', async () => {
    const job = await aJob();

    await run(job, { makePicture: async () => ({ state: 'failed', fault: 'broken' }) });

    expect(await pictures().find(job.mediaId, 'portrait')).toEqual({ state: 'failed', fault: 'broken' });
  });

  it('comes again where a store fails', async () => {
    const job = await aJob();

    await expect(run(job, { makePicture: () => Promise.reject(new Error('busy')) })).rejects.toThrow('busy');

    expect(await pictures().find(job.mediaId, 'portrait')).toBeUndefined();
  });

  describe('that WhatsApp shows', () => {
    const shown = (over: Partial<ShownPicture> = {}): ShownPicture => ({
      address: '49151@s.whatsapp.net',
      pictureId: '17',
      size: 'full',
      url: `${host.origin}/v/ann.jpg`,
      path: '/v/ann.jpg',
      ...over,
    });
    const JPEG = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(5_000, 7)]);

    it('is one file for a day, whatever the number of questions, and asked for once', async () => {
      const { tenantId } = newIds();
      const brought = new BroughtFileStore({ ...stack, clock });
      const dependencies = { ...stack, brought, tenantFiles: { keptDays: async () => 90 as const } };
      const quick = { ...clock, sleep: async () => undefined };

      const [first, second] = [
        await keepPicture({ ...dependencies, clock: quick }, tenantId, shown()),
        await keepPicture({ ...dependencies, clock: quick }, tenantId, shown({ url: 'https://other/' })),
      ];
      const other = await keepPicture({ ...dependencies, clock: quick }, tenantId, shown({ pictureId: '18' }));

      expect(first).toMatchObject({ state: 'pending', broughtBy: 'picture' });
      expect(second.mediaId).toBe(first.mediaId);
      expect(other.mediaId).not.toBe(first.mediaId);
      expect(await receive(stack, `${stack.queueUrlBase}${mediaQueueName('test')}`)).toHaveLength(2);
    });

    it('is fetched anew from where WhatsApp shows it now, after it was deleted or could not be fetched', async () => {
      const { tenantId } = newIds();
      const brought = new BroughtFileStore({ ...stack, clock });
      const later = { nowMs: () => clock.nowMs() + 20_000, sleep: async () => undefined };
      const dependencies = { ...stack, brought, tenantFiles: { keptDays: async () => 90 as const }, clock: later };
      const moved = { url: `${host.origin}/v/moved.jpg`, path: '/v/moved.jpg' };

      const failed = await keepPicture(dependencies, tenantId, shown());
      await brought.end(failed, { state: 'failed', fault: 'unreachable' });
      const anew = await keepPicture(
        { ...dependencies, clock: { ...later, nowMs: () => clock.nowMs() + 60_000 } },
        tenantId,
        shown(moved),
      );
      await brought.erase(anew.mediaId);
      const afterwards = await keepPicture(dependencies, tenantId, shown());

      expect(anew).toMatchObject({ mediaId: failed.mediaId, state: 'pending', link: moved.url, path: moved.path });
      expect(afterwards.mediaId).not.toBe(failed.mediaId);
      expect(afterwards.state).toBe('pending');
      await receive(stack, `${stack.queueUrlBase}${mediaQueueName('test')}`);
    });

    it('says why it is not there, as a file does', () => {
      const file = {
        ...pictureFile('tnt_1' as TenantId, shown(), 90, 0),
        state: 'failed',
        fault: 'not_a_picture',
      } as const;

      expect(toKeptPicture(file)).toMatchObject({
        state: 'failed',
        error: { code: 'not_a_picture', sentence: expect.stringContaining('JPEG') },
      });
    });

    it('belongs to one tenant', () => {
      const idOf = (tenantId: TenantId) => pictureFile(tenantId, shown(), 90, 0).mediaId;

      expect(idOf('tnt_1' as TenantId)).not.toBe(idOf('tnt_2' as TenantId));
    });

    const fetched = async (path: string, over: { readonly link?: string } = {}) => {
      const source = new FileSource({ origin: host.origin });
      const objects = new MemoryObjects();
      const file = { link: `${host.origin}${path}`, path, objectKey: 'x', ...over };
      const outcome = await fetchPicture({ source, objects, clock }, file);
      await source.close();
      return { outcome, kept: objects.kept.get('x')?.bytes };
    };

    it('is kept as it lies there', async () => {
      host.behave('/v/well.jpg', giving(JPEG));

      const { outcome, kept } = await fetched('/v/well.jpg');

      expect(outcome).toMatchObject({ fetched: { state: 'ready', bytes: JPEG.length, mimeType: 'image/jpeg' } });
      expect(kept).toEqual(JPEG);
    });

    it.each([
      ['is no JPEG', '/v/page.jpg', Buffer.from('<html>'), { fetched: { state: 'failed', fault: 'not_a_picture' } }],
      ['is empty', '/v/empty.jpg', Buffer.alloc(0), { fetched: { state: 'failed', fault: 'not_a_picture' } }],
      [
        'is far too large',
        '/v/large.jpg',
        Buffer.concat([JPEG, Buffer.alloc(6_000_000)]),
        { fetched: { state: 'failed', fault: 'not_a_picture' } },
      ],
      ['is not there any more', '/v/gone.jpg', undefined, { fetched: { state: 'failed', fault: 'unreachable' } }],
    ])('is not kept where it %s', async (_which, path, bytes, expected) => {
      if (bytes !== undefined) host.behave(path, giving(bytes));

      const { outcome, kept } = await fetched(path);

      expect(outcome).toEqual(expected);
      expect(kept).toBeUndefined();
    });

    it.each([
      'http://169.254.169.254/latest',
      'https://inside.test/x',
      'file:///etc/passwd',
      'https://whatsapp.net.evil.test/x',
    ])('is asked for at no host but WhatsApp, whatever the answer says: %s', async (link) => {
      host.behave('/v/safe.jpg', giving(JPEG));
      const source = new FileSource({ origin: host.origin });
      const objects = new MemoryObjects();

      // With a path, that of the known host counts; without one, nothing is asked.
      const byPath = await fetchPicture({ source, objects, clock }, { link, path: '/v/safe.jpg', objectKey: 'x' });
      const byLink = await fetchPicture({ source, objects, clock }, { link, objectKey: 'y' });
      await source.close();

      expect(byPath).toMatchObject({ fetched: { state: 'ready' } });
      expect(byLink).toEqual({ fetched: { state: 'failed', fault: 'not_allowed' } });
    });
  });
});
