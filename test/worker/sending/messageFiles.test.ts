import type { PreparedPicture } from '../../../shared/media/pictureStore.ts';
import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { ConnectionId, CorrelationId, MediaId, TenantId } from '../../../shared/kernel/id.ts';
import type { FileToSend } from '../../../shared/media/fileToSend.ts';
import { sendJobSchema } from '../../../shared/media/sendJob.ts';
import { FAILURE_STANDS_MS, type Upload, type UploadState } from '../../../shared/media/upload.ts';
import { SENT_AGAIN_MS, type UploadedFile } from '../../../shared/media/uploadedFile.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { makeKnownFiles, MessageFiles, type KnownFiles } from '../../../worker/sending/messageFiles.ts';
import type { MediaHosts } from '../../../worker/socket/port/connectionSocket.ts';
import { LookUpError, NO_NUMBER } from '../../../worker/socket/port/lookUpError.ts';
import { makeSteppedClock } from './steppedClock.ts';

const ID = 'med_01K3C5F7XQ8M2V4N6B9D0E1G3H' as MediaId;
const owned = { tenantId: 'tnt_1' as TenantId, connectionId: 'con_1' as ConnectionId, shard: 3, token: 1 };
const HOUR_MS = 3_600_000;

/** A worker that sends files of one tenant, with the rows and the queue that it sees. */
function aWorker(known: KnownFiles = makeKnownFiles()) {
  const clock = makeSteppedClock();
  const file: FileToSend = { mediaId: ID, tenantId: owned.tenantId, state: 'ready', objectKey: 'x', filename: 'a.pdf' };
  const world = {
    file: file as FileToSend | undefined,
    upload: undefined as Upload | undefined,
    picture: undefined as PreparedPicture | undefined,
    reads: 0,
    jobs: [] as unknown[],
    /** For each question of where files are uploaded: whether another token was wanted. */
    asked: [] as boolean[],
    isOpen: true,
    queue: 'takes' as 'takes' | 'is away',
    hosts: { hosts: ['mmg.whatsapp.net'], token: 'token' } as MediaHosts | LookUpError,
  };
  const send = async (command: SendMessageBatchCommand) => {
    if (world.queue === 'is away') throw new Error('the queue is away');
    for (const { MessageBody } of command.input.Entries ?? []) world.jobs.push(JSON.parse(MessageBody ?? ''));
    return { Successful: (command.input.Entries ?? []).map(({ Id }) => ({ Id })) };
  };
  const files = new MessageFiles({
    owned,
    clock,
    known,
    queue: { send } as unknown as SQSClient,
    stage: 'test',
    queueUrlBase: 'http://queues/',
    findToSend: async () => {
      world.reads += 1;
      return world.file;
    },
    uploads: { find: async () => world.upload },
    pictures: { find: async (_id, as) => (as === 'card' ? world.picture : undefined) },
    assertOpen: () => {
      if (!world.isOpen) throw new Error('this worker may not act');
    },
  });
  const socket = {
    mediaHosts: async (afresh: boolean) => {
      world.asked.push(afresh);
      if (world.hosts instanceof LookUpError) throw world.hosts;
      return world.hosts;
    },
  };
  const message = (more: Partial<SentMessage> = {}, named: object = { id: ID }): SentMessage =>
    ({
      to: '4915100000002@s.whatsapp.net',
      content: { type: 'document', document: named },
      correlationId: 'cor-1' as CorrelationId,
      createdAtMs: clock.nowMs(),
      ...more,
    }) as unknown as SentMessage;
  const look = (of: SentMessage = message(), mayAsk?: boolean) => files.look(of, socket, mayAsk);
  const uploadIs = (state: UploadState, round = 0): void => {
    world.upload = { ...state, version: 1, round };
  };
  const uploadedAt = (uploadedAtMs: number): UploadState => ({
    state: 'uploaded',
    file: { url: 'https://x', uploadedAtMs } as UploadedFile,
  });
  return { clock, world, message, look, uploadIs, uploadedAt };
}

describe('the file of a message that is to leave', () => {
  it('is none where its content is a text, and nothing is read', async () => {
    const { world, message, look } = aWorker();

    expect(await look(message({ content: { type: 'text', text: { body: 'hello' } } }))).toEqual({ file: 'none' });
    expect(world.reads).toBe(0);
  });

  it('is asked for once, however many messages wait for it and however often they are looked at', async () => {
    const { world, message, look } = aWorker();

    const looks = [await look(), await look(message({ correlationId: 'cor-2' as CorrelationId })), await look()];

    expect(looks).toEqual([{ file: 'waits' }, { file: 'waits' }, { file: 'waits' }]);
    expect(world.asked).toEqual([false]);
    expect(world.jobs).toEqual([
      sendJobSchema.parse({
        version: 1,
        kind: 'send',
        tenantId: owned.tenantId,
        connectionId: owned.connectionId,
        shard: 3,
        correlationId: 'cor-1',
        mediaId: ID,
        as: 'document',
        convert: true,
        round: 0,
        hosts: ['mmg.whatsapp.net'],
        token: 'token',
      }),
    ]);
  });

  it('is another upload for a channel, where it lies as it is, and one for all channels', async () => {
    const { world, message, look } = aWorker();

    await look();
    for (const to of ['1@newsletter', '2@newsletter']) await look(message({ to }));

    expect(world.jobs).toMatchObject([{ as: 'document' }, { as: 'document', plain: true }]);
    expect(world.jobs[0]).not.toHaveProperty('plain');
  });

  it('is asked for again after an hour, for its job may lie among the dead letters', async () => {
    const { clock, world, look } = aWorker();
    await look();
    clock.advance(HOUR_MS - 1);
    await look();
    const before = world.jobs.length;
    clock.advance(1);
    await look();

    expect([before, world.jobs.length]).toEqual([1, 2]);
  });

  it('is ready where it lies at WhatsApp, and is read once by all connections of the worker', async () => {
    const known = makeKnownFiles();
    const [one, other] = [aWorker(known), aWorker(known)];
    one.uploadIs(one.uploadedAt(one.clock.nowMs()));

    const looks = [await one.look(), await one.look(), await other.look()];

    for (const found of looks) expect(found).toMatchObject({ file: 'ready', sent: { filename: 'a.pdf' } });
    expect([one.world.reads, other.world.reads]).toEqual([1, 0]);
    expect(one.world.jobs).toEqual([]);
  });

  it('is asked for anew when it has been at WhatsApp for too long, although it is remembered', async () => {
    const { clock, world, look, uploadIs, uploadedAt } = aWorker();
    uploadIs(uploadedAt(clock.nowMs()));
    await look();
    clock.advance(SENT_AGAIN_MS);

    expect(await look()).toEqual({ file: 'waits' });
    expect(world.jobs).toHaveLength(1);
  });

  it('has another token brought for each that is not taken', async () => {
    const { world, look, uploadIs } = aWorker();
    await look();
    uploadIs({ state: 'needs_token', key: 'k', keyAtMs: 0 }, 1);

    await look();
    await look();

    expect(world.asked).toEqual([false, true]);
    expect(world.jobs).toMatchObject([{ round: 0 }, { round: 1 }]);
  });

  it('fails the messages that its failure is about, and is tried for later ones', async () => {
    const { clock, world, message, look, uploadIs } = aWorker();
    const earlier = message();
    uploadIs({ state: 'failed', fault: 'broken', endedAtMs: clock.nowMs() });
    clock.advance(FAILURE_STANDS_MS);

    expect(await look(earlier)).toEqual({ file: 'failed', code: 'file_broken' });
    expect(await look(message())).toEqual({ file: 'waits' });
    // One that had its time in the future could not leave before.
    expect(await look({ ...earlier, notBeforeMs: clock.nowMs() })).toEqual({ file: 'waits' });
    expect(world.jobs).toHaveLength(1);
  });

  it.each<[what: string, file: Partial<FileToSend> | undefined, named: object, code: string]>([
    ['nobody knows it', undefined, { id: ID }, 'file_gone'],
    ['it has no id', {}, {}, 'file_gone'],
    ['it could not be fetched', { state: 'failed' }, { id: ID }, 'file_not_fetched'],
    ['it was left', { state: 'left' }, { id: ID }, 'file_not_fetched'],
    ['nothing was uploaded', { state: 'awaited' }, { id: ID }, 'file_not_fetched'],
  ])('fails its message where %s', async (_what, file, named, code) => {
    const { world, message, look } = aWorker();
    world.file = file === undefined ? undefined : { ...(world.file as FileToSend), ...file };

    expect(await look(message({}, named))).toEqual({ file: 'failed', code });
    expect(world.jobs).toEqual([]);
  });

  it('is asked for while its link is being fetched, and anew when that has ended in vain and begun again', async () => {
    const { world, look } = aWorker();
    const is = (state: FileToSend['state']): void => {
      world.file = { ...(world.file as FileToSend), state };
    };
    is('pending');
    await look();
    is('failed');
    expect(await look()).toEqual({ file: 'failed', code: 'file_not_fetched' });
    is('pending');

    expect(await look()).toEqual({ file: 'waits' });
    expect(world.jobs).toHaveLength(2);
  });

  it('waits without a question where WhatsApp may not be asked now', async () => {
    const { world, message, look } = aWorker();

    expect(await look(message(), false)).toEqual({ file: 'waits' });
    expect([world.asked, world.jobs]).toEqual([[], []]);
    await look();
    expect(world.jobs).toHaveLength(1);
  });

  it.each([
    [NO_NUMBER, 'look_up_refused'],
    [403, 'look_up_refused'],
    [500, 'look_up_unanswered'],
    [undefined, 'look_up_unanswered'],
  ])('is not asked for where WhatsApp does not say where (%s): %s', async (code, outcome) => {
    const { world, look } = aWorker();
    world.hosts = new LookUpError('media', code);

    expect(await look()).toMatchObject({ file: 'not_looked_up', outcome: { outcome, lookUp: 'media' } });
    expect(world.jobs).toEqual([]);
    // Nothing was asked for, so the next look does it.
    world.hosts = { hosts: ['mmg.whatsapp.net'], token: 'token' };
    expect(await look()).toEqual({ file: 'waits' });
    expect(world.jobs).toHaveLength(1);
  });

  it('is asked for by nobody who may not act, and again where the queue did not take it', async () => {
    const { world, look } = aWorker();
    world.isOpen = false;
    await expect(look()).rejects.toThrow('may not act');
    [world.isOpen, world.queue] = [true, 'is away'];
    await expect(look()).rejects.toThrow('the queue is away');
    expect(world.jobs).toEqual([]);
    world.queue = 'takes';

    expect(await look()).toEqual({ file: 'waits' });
    expect(world.jobs).toHaveLength(1);
  });

  it('is another one as something else, and as it is', async () => {
    const { world, message, look } = aWorker();

    await look();
    await look(message({}, { id: ID, convert: false }));
    await look(message({ content: { type: 'audio', audio: { id: ID } } as never }));

    expect(world.jobs).toMatchObject([
      { as: 'document', convert: true },
      { as: 'document', convert: false },
      { as: 'audio', convert: true },
    ]);
  });

  describe('the photos of contacts', () => {
    const contacts = (...photos: readonly object[]): SentMessage =>
      aWorker().message({
        content: { type: 'contacts', contacts: photos.map((photo) => ({ name: { formatted_name: 'Ada' }, ...photo })) },
      } as unknown as Partial<SentMessage>);
    const JPEG = Buffer.from('jpeg');

    it('cost nothing where there are none', async () => {
      const { look, world } = aWorker();

      expect(await look(contacts({}, {}))).toEqual({ file: 'none' });
      expect(world.reads).toBe(0);
    });

    it('are asked for once each, and the message waits until they are there', async () => {
      const { look, world, clock } = aWorker();
      const asked = contacts({ photo: { id: ID } }, {}, { photo: { id: ID } });

      expect(await look(asked)).toEqual({ file: 'waits' });
      expect(await look(asked)).toEqual({ file: 'waits' });
      expect(world.jobs).toMatchObject([{ kind: 'picture', as: 'card', mediaId: ID }]);
      clock.advance(61_000);
      expect(await look(asked)).toEqual({ file: 'waits' });
      expect(world.jobs).toHaveLength(2);
      world.picture = { state: 'ready', jpeg: JPEG };

      expect(await look(asked)).toEqual({ file: 'photos', photos: new Map([[ID, JPEG.toString('base64')]]) });
    });

    it.each([
      ['file_gone', { file: { state: 'gone' } }],
      ['file_gone', { file: undefined }],
      ['file_not_fetched', { file: { state: 'failed' } }],
      ['file_wrong_type', { picture: { state: 'failed', fault: 'wrong_type' } }],
    ])('fail their message with %s', async (code, given) => {
      const { look, world } = aWorker();
      Object.assign(world, given);

      expect(await look(contacts({ photo: { id: ID } }))).toEqual({ file: 'failed', code });
      expect(world.jobs).toEqual([]);
    });

    it('wait for their file without asking for anything', async () => {
      const { look, world } = aWorker();
      world.file = { ...(world.file as object), state: 'pending' } as typeof world.file;

      expect(await look(contacts({ photo: { id: ID } }))).toEqual({ file: 'waits' });
      expect(world.jobs).toEqual([]);
    });
  });
});
