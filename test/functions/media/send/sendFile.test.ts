import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { SQSRecord } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeZip } from '../../../../functions/media/prepare/converter/zip.ts';
import { FileHosts } from '../../../../functions/media/send/fileHosts.ts';
import { prepareWith } from '../../../../functions/media/send/prepareWith.ts';
import {
  handleSendJob,
  type JobOutcome,
  type SendJobDependencies,
} from '../../../../functions/media/send/handleSendJob.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { makeId, type CorrelationId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { broughtKeyOf, type BroughtFile } from '../../../../shared/media/broughtFile.ts';
import { BroughtFileStore } from '../../../../shared/media/broughtFileStore.ts';
import { MediaStore } from '../../../../shared/media/mediaStore.ts';
import { openFile } from '../../../../shared/media/sealedFile.ts';
import type { SendJob } from '../../../../shared/media/sendJob.ts';
import { MOST_ROUNDS, uploadNameOf } from '../../../../shared/media/upload.ts';
import { isPlain, SENT_AGAIN_MS } from '../../../../shared/media/uploadedFile.ts';
import { UploadStore } from '../../../../shared/media/uploadStore.ts';
import { commandSchema } from '../../../../shared/message/command.ts';
import { uploadKey } from '../../../../shared/platform/keys.ts';
import { commandQueueName, mediaTimes } from '../../../../shared/platform/queues.ts';
import { tableName } from '../../../../shared/platform/tables.ts';
import { newIds } from '../../../shared/event/eventStores.ts';
import { MemoryObjects } from '../../../shared/media/memoryObjects.ts';
import { aRecord, receive, startQueueStack, type QueueStack } from '../../queueStack.ts';
import { pngOf } from '../prepare/madePictures.ts';
import { Preparing } from '../prepare/preparing.ts';
import { UploadHost } from './uploadHost.ts';

const PLAIN = Buffer.from('an invoice over a hundred dogs 🐕 '.repeat(5_000));
const SHA256 = createHash('sha256').update(PLAIN).digest('base64');

describe('a job that brings a file to WhatsApp', () => {
  let stack: QueueStack;
  let host: UploadHost;
  let hosts: FileHosts;
  const preparing = new Preparing();
  const { objects, converter } = preparing;
  beforeAll(async () => {
    [stack, host] = await Promise.all([startQueueStack(), UploadHost.start()]);
    hosts = new FileHosts({ origin: host.origin });
  });
  beforeEach(() => {
    host.uploads.splice(0);
    host.doing.splice(0);
  });
  afterAll(async () => {
    preparing.stop();
    await hosts.close();
    await Promise.all([stack.stop(), host.stop()]);
  });

  const clock = systemClock;
  const uploads = (): UploadStore => new UploadStore({ ...stack, clock });
  const dependencies = (over: Partial<SendJobDependencies> = {}): SendJobDependencies => ({
    ...stack,
    clock,
    random: systemRandom,
    media: new MediaStore({ ...stack, clock }),
    uploads: uploads(),
    objects,
    hosts,
    prepare: prepareWith({ objects: (over.objects ?? objects) as MemoryObjects, converter }),
    ...over,
  });
  async function aFile(more: Partial<BroughtFile> = {}): Promise<BroughtFile> {
    const { tenantId } = newIds();
    const mediaId = makeId('med', Date.now(), systemRandom);
    const objectKey = broughtKeyOf(tenantId, mediaId, 90);
    const file: BroughtFile = {
      mediaId,
      tenantId,
      broughtBy: 'upload',
      state: 'ready',
      objectKey,
      mimeType: 'application/pdf',
      bytes: PLAIN.length,
      sha256: SHA256,
      createdAtMs: Date.now(),
      ...more,
    };
    await new BroughtFileStore({ ...stack, clock }).create(file);
    await objects.write(objectKey, Readable.from([PLAIN]), { contentType: 'x' }, new AbortController().signal);
    return file;
  }
  const jobOf = ({ tenantId, mediaId }: BroughtFile, more: Partial<SendJob> = {}): SendJob => ({
    version: 1,
    kind: 'send',
    tenantId,
    connectionId: newIds().connectionId,
    shard: 1,
    correlationId: 'cor-of-test' as CorrelationId,
    mediaId,
    as: 'document',
    convert: false,
    round: 0,
    hosts: [host.name],
    token: 'token',
    ...more,
  });
  let jobs = 0;
  /** One record of a job, as its queue hands it out. */
  const recordOf = (job: SendJob): SQSRecord => ({ ...aRecord(JSON.stringify(job)), messageId: `job-${(jobs += 1)}` });
  const run = (
    job: SendJob,
    record = recordOf(job),
    count = 1,
    over: Partial<SendJobDependencies> = {},
  ): Promise<JobOutcome> =>
    handleSendJob(dependencies(over), job, {
      ...record,
      attributes: { ...record.attributes, ApproximateReceiveCount: String(count) },
    });
  const rowOf = (file: BroughtFile, as: SendJob['as'] = 'document') =>
    uploads().find(uploadNameOf(file, { as, convert: false }));
  /** The connections that were told. */
  async function told(): Promise<readonly string[]> {
    const found = await receive(stack, `${stack.queueUrlBase}${commandQueueName('test', 1)}`);
    return found.map(({ Body = '' }) => {
      const command = commandSchema.parse(JSON.parse(Body));
      expect(command.kind).toBe('file_ended');
      return command.connectionId;
    });
  }

  it('seals it, uploads it, writes down where it lies, and tells the worker that asked', async () => {
    const file = await aFile();
    const job = jobOf(file);

    expect(await run(job)).toBe('done');

    const row = await rowOf(file);
    if (row?.state !== 'uploaded' || isPlain(row.file)) throw new Error('it is not uploaded');
    expect(row.file).toMatchObject({ prepared: { sha256: SHA256, bytes: PLAIN.length, mimeType: 'application/pdf' } });
    const [taken] = host.uploads;
    expect(Buffer.from(row.file.sealedSha256, 'base64').toString('base64url')).toBe(taken?.sha256);
    const chunks: Uint8Array[] = [];
    const by = { use: 'document', key: row.file.key, sha256: SHA256 } as const;
    const body = Readable.from([taken?.body ?? Buffer.alloc(0)]) as AsyncIterable<Uint8Array>;
    for await (const chunk of openFile(body, by, 1e9, { bytes: 0, sha256: '' })) chunks.push(Uint8Array.from(chunk));
    expect(Buffer.concat(chunks).equals(PLAIN)).toBe(true);
    expect(await told()).toEqual([job.connectionId]);
  });

  it('uploads it as it is for channels, apart from that for chats, and writes down its handle', async () => {
    const file = await aFile();

    expect(await run(jobOf(file, { plain: true }))).toBe('done');
    expect(await run(jobOf(file))).toBe('done');

    const [plain, sealed] = host.uploads;
    expect(plain?.body.equals(PLAIN)).toBe(true);
    expect(plain?.path).toBe(`/newsletter/newsletter-document/${Buffer.from(SHA256, 'base64').toString('base64url')}`);
    expect(sealed?.path).toMatch(/^\/mms\/document\//);
    const row = await uploads().find(uploadNameOf(file, { as: 'document', convert: false, plain: true }));
    expect(row).toMatchObject({ state: 'uploaded', file: { handle: `handle of ${plain?.sha256}` } });
    expect(row).not.toHaveProperty('file.key');
    expect(await uploads().list(file.tenantId, SHA256)).toMatchObject([
      { name: { as: 'document', convert: false, plain: false } },
      { name: { as: 'document', convert: false, plain: true } },
    ]);
    await told();
  });

  it('uploads a pack of stickers and its cover, each by its own path under one key', async () => {
    const archive = writeZip(
      [8, 16, 24].map((edge) => ({ name: `${edge}`, bytes: pngOf({ width: edge, height: edge }) })),
    );
    const file = await aFile({ sha256: createHash('sha256').update(archive).digest('base64') });
    await objects.write(file.objectKey, Readable.from([archive]), { contentType: 'x' }, new AbortController().signal);

    expect(await run(jobOf(file, { as: 'sticker_pack', convert: true }))).toBe('done');

    const row = await uploads().find(uploadNameOf(file, { as: 'sticker_pack', convert: true }));
    if (row?.state !== 'uploaded' || isPlain(row.file)) throw new Error('it is not uploaded');
    const [cover, whole] = host.uploads;
    expect(host.uploads.map(({ path }) => path.split('/')[2])).toEqual(['thumbnail-sticker-pack', 'sticker-pack']);
    expect(Buffer.from(row.file.sealedSha256, 'base64').toString('base64url')).toBe(whole?.sha256);
    expect(row.file.cover).toMatchObject({ directPath: `/v/${cover?.sha256}` });
    const by = { use: 'sticker_pack_cover', key: row.file.key, sha256: row.file.cover?.sha256 } as const;
    const body = Readable.from([cover?.body ?? Buffer.alloc(0)]) as AsyncIterable<Uint8Array>;
    const opened = await Array.fromAsync(openFile(body, by, 1e6, { bytes: 0, sha256: '' }));
    expect(Buffer.concat(opened).toString('base64')).toBe(row.file.prepared.thumbnail);
    await told();
  });

  it('is one upload, whoever asks for it and however often, and tells each', async () => {
    const file = await aFile();
    const all = Array.from({ length: 8 }, () => jobOf(file)).map((job) => ({ job, record: recordOf(job) }));

    const outcomes = await Promise.all(all.map(({ job, record }) => run(job, record)));
    const later = await Promise.all(
      all.flatMap(({ job, record }, place) => (outcomes[place] === 'done' ? [] : [run(job, record, 2)])),
    );

    expect([...outcomes, ...later].filter((outcome) => outcome === 'done')).toHaveLength(8);
    expect(host.uploads).toHaveLength(1);
    expect((await told()).toSorted()).toEqual(all.map(({ job }) => job.connectionId).toSorted());
  });

  it('is an upload for each use of it, and for each tenant', async () => {
    const [file, other] = [await aFile(), await aFile()];

    await run(jobOf(file));
    await run(jobOf(file, { as: 'audio' }));
    await run(jobOf(other));

    expect(host.uploads.map(({ path }) => path.split('/')[2])).toEqual(['document', 'audio', 'document']);
    await told();
  });

  it('uploads it again when it has been at WhatsApp for too long, with another key', async () => {
    const file = await aFile();
    await run(jobOf(file));
    const row = await rowOf(file);
    if (row?.state !== 'uploaded') throw new Error('it is not uploaded');
    const old = { ...row, file: { ...row.file, uploadedAtMs: Date.now() - SENT_AGAIN_MS } };
    const key = uploadKey(uploadNameOf(file, { as: 'document', convert: false }));
    await stack.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: { ...key, ...old } }));

    await run(jobOf(file));

    expect(host.uploads).toHaveLength(2);
    expect(host.uploads[0]?.sha256).not.toBe(host.uploads[1]?.sha256);
    await told();
  });

  it('has the worker bring another token where WhatsApp takes it no more, some times', async () => {
    const file = await aFile();
    host.doing.push(401);

    expect(await run(jobOf(file))).toBe('done');
    expect(await rowOf(file)).toMatchObject({ state: 'needs_token', round: 1 });
    // A second job with the old token changes nothing.
    expect(await run(jobOf(file))).toBe('done');
    expect(host.uploads).toHaveLength(1);
    expect(await run(jobOf(file, { round: 1 }))).toBe('done');

    expect(await rowOf(file)).toMatchObject({ state: 'uploaded', round: 0 });
    // The key and so the bytes are those of the first try.
    expect(host.uploads[0]?.sha256).toBe(host.uploads[1]?.sha256);
    const refused = await aFile();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      host.doing.push(403);
      await run(jobOf(refused, { round }));
    }
    expect(await rowOf(refused)).toMatchObject({ state: 'failed', fault: 'not_uploaded' });
    await told();
  });

  it('is tried again where no host takes it, and given up with a reason after the last try', async () => {
    const file = await aFile();
    const record = recordOf(jobOf(file));
    host.doing.push(503, 503);

    const first = await run(jobOf(file), record, 1);
    const last = await run(jobOf(file), record, mediaTimes.tries);

    expect(first).toMatchObject({ hiddenForSeconds: expect.any(Number) as unknown });
    expect(last).toBe('done');
    expect(await rowOf(file)).toMatchObject({ state: 'failed', fault: 'not_uploaded' });
    await told();
  });

  it.each<[why: string, over: Partial<SendJobDependencies>, doing: number | undefined, fault: string]>([
    ['it cannot be made what is sent', { prepare: async () => ({ refused: 'broken' }) }, undefined, 'broken'],
    ['hosts refuse it', {}, 415, 'refused'],
    ['its object is gone', { objects: new MemoryObjects() }, undefined, 'gone'],
  ])('ends at once where %s', async (_why, over, doing, fault) => {
    const file = await aFile();
    if (doing !== undefined) host.doing.push(doing);

    expect(await run(jobOf(file), undefined, 1, over)).toBe('done');

    expect(await rowOf(file)).toMatchObject({ state: 'failed', fault });
    expect(await told()).toHaveLength(1);
  });

  it('waits for a link that is still being fetched, and asks no host meanwhile', async () => {
    const file = await aFile({ state: 'pending', broughtBy: 'link' });

    expect(await run(jobOf(file))).toMatchObject({ hiddenForSeconds: 2 });
    expect([host.uploads.length, await rowOf(file)]).toEqual([0, undefined]);
  });

  it('does nothing for a file of another tenant, but tells', async () => {
    const [file, other] = [await aFile(), await aFile()];

    expect(await run(jobOf({ ...file, tenantId: other.tenantId }))).toBe('done');
    expect(host.uploads).toHaveLength(0);
    expect(await told()).toHaveLength(1);
  });

  it('loses nothing where the function dies before or after any of its calls: what is uploaded twice is the same', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let place = 0; ; place += 1) {
        host.uploads.splice(0);
        const file = await aFile();
        const job = jobOf(file);
        const record = recordOf(job);
        const dying = new Dying(place, when);
        const parts = dependencies();
        const died = await run(job, record, 1, {
          media: dying.wrap(parts.media),
          uploads: dying.wrap(parts.uploads),
          objects: dying.wrap(parts.objects),
          hosts: dying.wrap(parts.hosts),
          queue: dying.wrap(parts.queue),
        }).catch((error: unknown) => error);
        expect(dying.hasDied || died === 'done').toBe(true);
        if (!dying.hasDied) break;

        // SQS hands the job out again when it is not hidden any more.
        expect(await run(job, record, 2)).toBe('done');

        expect(await rowOf(file)).toMatchObject({ state: 'uploaded' });
        expect(new Set(host.uploads.map(({ sha256 }) => sha256)).size).toBe(1);
        expect(host.uploads.length).toBeLessThanOrEqual(2);
        expect(place).toBeLessThan(30);
      }
    }
    await told();
  });
});

class DeathError extends Error {}

/** Dies at a call: before it is made, or when it has taken effect. */
class Dying {
  readonly #place: number;
  readonly #when: 'before' | 'after';
  #calls = 0;
  hasDied = false;

  constructor(place: number, when: 'before' | 'after') {
    this.#place = place;
    this.#when = when;
  }

  wrap<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...given: readonly unknown[]): Promise<unknown> => {
          if (this.hasDied) throw new DeathError('it is dead');
          const isHere = this.#calls++ === this.#place;
          if (isHere && this.#when === 'before') this.#die();
          const result: unknown = await Reflect.apply(value, target, given);
          if (isHere) this.#die();
          return result;
        };
      },
    });
  }

  #die(): never {
    this.hasDied = true;
    throw new DeathError('it dies here');
  }
}
