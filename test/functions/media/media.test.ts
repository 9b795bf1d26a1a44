import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { FileSource, addressOf, type SourceError } from '../../../functions/media/fileSource.ts';
import { LinkSource } from '../../../functions/media/linkSource.ts';
import { makeMediaHandler } from '../../../functions/media/handler.ts';
import { retrySeconds } from '../../../functions/media/retrySchedule.ts';
import { batchEnvelopeSchema } from '../../../shared/event/factBatch.ts';
import { factSchema, type Fact } from '../../../shared/event/facts/factRows.ts';
import { deriveMediaId, makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import { bringLink } from '../../../shared/media/bringLink.ts';
import { BroughtFileStore } from '../../../shared/media/broughtFileStore.ts';
import { objectKeyOf, type Media } from '../../../shared/media/media.ts';
import { TenantFiles } from '../../../shared/media/keptBytes.ts';
import { askForFiles } from '../../../shared/media/mediaJob.ts';
import { MediaStore, toMediaItem } from '../../../shared/media/mediaStore.ts';
import { ObjectHolds } from '../../../shared/media/objectHolds.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { eventQueueName, mediaQueueName, mediaTimes } from '../../../shared/platform/queues.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { newIds } from '../../shared/event/eventStores.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';
import { seal } from '../../shared/media/sealed.ts';
import { aRecord, receive, startQueueStack, toSqsEvent, type QueueStack } from '../queueStack.ts';
import { answering, breakingOff, FileHost, giving, type Behaviour } from './fileHost.ts';
import { historyParts } from './historyParts.ts';

const PLAIN = Buffer.from('a picture of a dog 🐕 '.repeat(4_000));
const { sealed, key, sha256 } = seal(PLAIN, 'WhatsApp Image Keys');

describe('the media function', () => {
  let stack: QueueStack;
  let host: FileHost;
  let source: FileSource;
  const objects = new MemoryObjects();
  beforeAll(async () => {
    [stack, host] = await Promise.all([startQueueStack(), FileHost.start()]);
    source = new FileSource({ origin: host.origin });
  });
  afterAll(async () => {
    await Promise.all([source.close(), links.close()]);
    await Promise.all([stack.stop(), host.stop()]);
  });

  let files = 0;
  /** The row of a file that waits at the host. */
  async function aFile(
    behaviour: Behaviour | undefined,
    given: Partial<Media> = {},
    file: Partial<Media['file']> = {},
  ) {
    const messageId = makeId('msg', Date.now(), systemRandom);
    const path = `/v/t62.7118-24/${(files += 1)}?ccb=11-4&oh=01`;
    if (behaviour !== undefined) host.behave(path, behaviour);
    const media: Media = {
      ...newIds(),
      mediaId: deriveMediaId(messageId, 0),
      messageId,
      correlationId: 'cor-of-test' as CorrelationId,
      createdAtMs: Date.now(),
      type: 'image',
      file: { use: 'image', path, key, sha256, mime_type: 'image/jpeg', ...file },
      told: {},
      state: 'pending',
      round: 1,
      ...given,
    };
    await stack.table.send(
      new PutCommand({ TableName: tableName('test', 'core'), Item: { ...toMediaItem(media, Date.now()) } }),
    );
    return media;
  }
  const store = () => new MediaStore(stack);
  /** The bytes to which the row of a file leads. */
  const bytesOf = async ({ mediaId }: Media) => {
    const row = await store().find(mediaId);
    return row === undefined ? undefined : objects.kept.get(objectKeyOf(row))?.bytes;
  };
  const holds = () => new ObjectHolds({ ...stack, clock: systemClock });
  const tenantFiles = () => new TenantFiles({ ...stack, clock: systemClock });
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
  const brought = () => new BroughtFileStore({ ...stack, clock: systemClock });
  const links = new LinkSource({
    guard: new AddressGuard({ resolve: systemResolve, allowLoopback: true }),
    mostBytes: 1e6,
  });
  const handler = () =>
    makeMediaHandler({
      ...stack,
      histories: historyParts(stack),
      clock: systemClock,
      media: store(),
      pictures: new PictureStore({ ...stack, clock: systemClock }),
      brought: brought(),
      holds: holds(),
      tenantFiles: tenantFiles(),
      source,
      links,
      objects,
      sending,
    });
  const QueueUrl = (): string => `${stack.queueUrlBase}${mediaQueueName('test')}`;
  /** Runs the function for a file as its queue hands it out. */
  async function run(media: Media, count = 1) {
    const record = aRecord(JSON.stringify({ version: 1, tenantId: media.tenantId, mediaId: media.mediaId }));
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(count) };
    return handler()({ Records: [{ ...record, attributes }] });
  }
  /** What was published since. */
  async function told(): Promise<readonly Fact[]> {
    const found = await receive(stack, `${stack.queueUrlBase}${eventQueueName('test')}`);
    return found.flatMap(({ Body = '' }) =>
      batchEnvelopeSchema.parse(JSON.parse(Body)).events.map((fact) => factSchema.parse(fact)),
    );
  }

  it('fetches a file from its job on, opens it and tells that it is here', async () => {
    const media = await aFile(giving(sealed));
    await askForFiles(stack, [{ version: 1, tenantId: media.tenantId, mediaId: media.mediaId }]);
    const jobs = await receive(stack, QueueUrl());

    const answer = await handler()(toSqsEvent(jobs));

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await bytesOf(media)).toEqual(PLAIN);
    expect(await store().find(media.mediaId)).toMatchObject({ state: 'ready', bytes: PLAIN.length, sha256 });
    expect(await told()).toMatchObject([
      { kind: 'media', messageId: media.messageId, media: { id: media.mediaId, state: 'ready', bytes: PLAIN.length } },
    ]);
  });

  it('fetches a link once for all that name it in ten minutes, and ends it after four tries', async () => {
    const { tenantId } = newIds();
    const path = `/linked/${(files += 1)}.png`;
    host.behave(path, giving(PLAIN));
    const dependencies = { ...stack, clock: systemClock, brought: brought(), tenantFiles: tenantFiles() };
    const bring = (link: string) => bringLink(dependencies, tenantId, link);

    const asked = await Promise.all([1, 2, 3].map(() => bring(`${host.origin}${path}`)));
    const jobs = await receive(stack, QueueUrl());
    await handler()(toSqsEvent(jobs));
    const after = await bring(`${host.origin}${path}`);
    const dead = await bring('http://127.0.0.1:9/');
    const runs = [];
    for (const count of [1, 3, 4]) runs.push((await run(dead as never, count)).batchItemFailures.length);

    const then = { ...dependencies, clock: { nowMs: () => dead.askedAtMs ?? 0 } };
    const soon = await bringLink(then, tenantId, 'http://127.0.0.1:9/');
    const later = { ...dependencies, clock: { nowMs: () => Date.now() + 10_001 } };
    const anew = await Promise.all([1, 2].map(() => bringLink(later, tenantId, 'http://127.0.0.1:9/')));

    expect(soon).toMatchObject({ state: 'failed', fault: 'link_unreachable' });
    // The ten minutes of the link may have ended in between, and it is another file then.
    expect(new Set(anew.map(({ state }) => state))).toEqual(new Set(['pending']));
    expect(new Set(asked.map(({ mediaId }) => mediaId)).size).toBe(1);
    expect(jobs).toHaveLength(1);
    expect(after).toMatchObject({ state: 'ready', bytes: PLAIN.length, sha256 });
    expect(objects.kept.get(after.objectKey)?.bytes).toEqual(PLAIN);
    expect(runs).toEqual([1, 1, 0]);
    await receive(stack, QueueUrl());
  });

  it('fetches a link anew whose file was deleted', async () => {
    const { tenantId } = newIds();
    const store = brought();
    const dependencies = { ...stack, clock: systemClock, brought: store, tenantFiles: tenantFiles() };
    const bring = () => bringLink(dependencies, tenantId, 'https://example.com/deleted.png');

    const first = await bring();
    await store.erase(first.mediaId);
    const [second, again] = await Promise.all([bring(), bring()]);
    await store.erase(second.mediaId);
    const third = await bring();

    expect([first, second, again, third].map(({ state }) => state)).toEqual([
      'pending',
      'pending',
      'pending',
      'pending',
    ]);
    expect(again.mediaId).toBe(second.mediaId);
    expect(new Set([first, second, third].map(({ mediaId }) => mediaId)).size).toBe(3);
    expect(await store.find(first.mediaId)).toMatchObject({ state: 'gone' });
    expect(await receive(stack, QueueUrl())).toHaveLength(3);
  });

  it('goes on where a host broke off', async () => {
    const media = await aFile(breakingOff(sealed, 10_000, 3));

    await run(media);

    const ranges = host.requests.filter(({ path }) => path === media.file.path).map(({ range }) => range);
    expect(ranges).toHaveLength(4);
    expect(ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range ?? ''))).toBe(true);
    expect(await bytesOf(media)).toEqual(PLAIN);
    await told();
  });

  it.each<[why: string, behaviour: Behaviour | undefined, file: Partial<Media['file']>, fault: string]>([
    ['WhatsApp has it no longer (404)', undefined, {}, 'gone'],
    ['WhatsApp has it no longer (410)', answering(410), {}, 'gone'],
    ['the time of its address is over (403)', answering(403), {}, 'gone'],
    ['its bytes were changed', giving(Buffer.concat([Buffer.from([1]), sealed.subarray(1)])), {}, 'mac_differs'],
    ['it is another file', giving(sealed), { sha256: seal(Buffer.from('x'), '').sha256 }, 'hash_differs'],
    ['there is nothing of it', giving(Buffer.alloc(0)), {}, 'too_short'],
    ['its key is none', giving(sealed), { key: 'AAAA' }, 'key_unusable'],
    ['its link leads elsewhere', undefined, { path: undefined, url: 'https://169.254.169.254/' }, 'not_allowed'],
  ])('ends at once where %s', async (_why, behaviour, file, fault) => {
    const media = await aFile(behaviour, {}, file);

    const answer = await run(media);

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await store().find(media.mediaId)).toMatchObject({ state: 'failed', fault });
    expect([...objects.kept.keys()].filter((name) => name.includes(media.tenantId))).toEqual([]);
    expect(await told()).toMatchObject([{ kind: 'media', media: { state: 'failed', error: { code: fault } } }]);
  });

  it.each([500, 503, 429, 302])(
    'tries again later where the host answers %i, and gives up in the end',
    async (status) => {
      const media = await aFile(answering(status));

      const first = await run(media);
      const between = await store().find(media.mediaId);
      const last = await run(media, mediaTimes.tries);

      expect(first.batchItemFailures).toHaveLength(1);
      expect(between).toMatchObject({ state: 'pending' });
      expect(last).toEqual({ batchItemFailures: [] });
      expect(await store().find(media.mediaId)).toMatchObject({ state: 'failed', fault: 'unreachable' });
      await told();
    },
  );

  it('tells again what it did when it died before the job was done, and fetches nothing', async () => {
    const media = await aFile(giving(sealed));
    await run(media);
    await told();
    const before = host.requests.length;

    const answer = await run(media);

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(host.requests).toHaveLength(before);
  });

  it('fetches a file anew that is asked for again, and ends of the round before change nothing', async () => {
    const media = await aFile(undefined);
    await run(media);
    const failed = await store().find(media.mediaId);
    host.behave(media.file.path ?? '', giving(sealed));

    const isAsked = failed !== undefined && (await store().ask(failed));
    const isLate = await store().end(media, { state: 'failed', fault: 'gone' });
    await run(media);

    expect([isAsked, isLate]).toEqual([true, false]);
    expect(await store().find(media.mediaId)).toMatchObject({ state: 'ready', round: 2 });
    expect((await store().find(media.mediaId))?.fault).toBeUndefined();
    await told();
  });

  it("fetches nothing for a job that names another tenant's file, or one that is left", async () => {
    const [other, left] = [await aFile(giving(sealed)), await aFile(giving(sealed), { state: 'left' })];
    const before = host.requests.length;

    await run({ ...other, tenantId: newIds().tenantId });
    await run(left);

    expect(host.requests).toHaveLength(before);
    expect(await store().find(left.mediaId)).toMatchObject({ state: 'left' });
  });
});

describe('the address of a file', () => {
  const ORIGIN = 'https://mmg.whatsapp.net';

  it.each([
    [{ path: '/v/t62/1?ccb=11' }, 'https://mmg.whatsapp.net/v/t62/1?ccb=11'],
    [{ path: 'v/t62/1' }, 'https://mmg.whatsapp.net/v/t62/1'],
    [{ path: '//evil.example/1' }, 'https://mmg.whatsapp.net//evil.example/1'],
    [{ path: '/../../x' }, 'https://mmg.whatsapp.net/x'],
    [{ path: '/v', url: 'https://evil.example/' }, 'https://mmg.whatsapp.net/v'],
    [{ url: 'https://media-fra3-1.cdn.whatsapp.net/v/1' }, 'https://media-fra3-1.cdn.whatsapp.net/v/1'],
  ])('of %j is %s', (file, address) => {
    expect(addressOf(file, ORIGIN).href).toBe(address);
  });

  const hostOf = (file: Parameters<typeof addressOf>[0]): string => {
    try {
      return addressOf(file, ORIGIN).host;
    } catch (error) {
      return (error as SourceError).fault;
    }
  };

  it.each([
    {},
    { path: '@evil.example/' },
    { path: ':8080/' },
    { path: '.evil.example/' },
    { url: 'https://evil.example/' },
    { url: 'https://whatsapp.net.evil.example/' },
    { url: 'https://evilwhatsapp.net/' },
    { url: 'https://mmg.whatsapp.net@evil.example/' },
    { url: 'https://user@mmg.whatsapp.net/' },
    { url: 'https://mmg.whatsapp.net:8443/' },
    { url: 'http://mmg.whatsapp.net/' },
    { url: 'file:///etc/passwd' },
    { url: 'no address' },
  ])('of %j is none that may be asked, or lies at the host that we know', (file) => {
    const host = hostOf(file);

    expect(['not_allowed', 'no_place', 'mmg.whatsapp.net']).toContain(host);
  });
});

describe('the pauses between tries', () => {
  it('grow to hours, and are most of a day in all', () => {
    const pauses = Array.from({ length: mediaTimes.tries - 1 }, (_, index) => retrySeconds(index + 1, 0));

    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(80_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(43_200);
  });
});
