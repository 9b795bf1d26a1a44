import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { deriveMediaId, deriveMessageId, type CorrelationId, type StanzaId } from '../../../shared/kernel/id.ts';
import { AskedFiles } from '../../../shared/media/askedFiles.ts';
import type { Media } from '../../../shared/media/media.ts';
import { mediaJobSchema } from '../../../shared/media/mediaJob.ts';
import { MediaStore, toMediaItem } from '../../../shared/media/mediaStore.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { receivedMessageItem } from '../../../shared/message/messageWrites.ts';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { mediaKey } from '../../../shared/platform/keys.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { ConnectionFiles } from '../../../worker/files/connectionFiles.ts';
import { findWaitingFiles, takeFileAnswer } from '../../../worker/files/takeFileAnswer.ts';
import type { FileRequest } from '../../../worker/socket/port/fileRequest.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { until } from '../../whatsapp/until.ts';
import { startCore, type Core } from '../sending/fakes.ts';

const ANN_JID = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const KEY = Buffer.alloc(32, 3).toString('base64');

describe('the files that the phone of a connection is asked for', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  beforeAll(async () => {
    [core, queues] = await Promise.all([startCore(), startQueues()]);
    await createQueues(queues.endpoint, 'test', 1);
    queue = makeQueueClient(aStoreConfig({ queues }));
  });
  afterAll(async () => {
    queue.destroy();
    await Promise.all([queues.stop(), core.stop()]);
  });

  const put = (Item: Readonly<Record<string, unknown>>) =>
    core.table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: { ...Item } }));
  let stanzas = 0;
  /** A message with a file, and its connection. */
  async function aMessageWithFile(message: Partial<ReceivedMessage> = {}, given: Partial<Media> = {}) {
    const { tenantId, connectionId } = await core.aConnection();
    const stanzaId = `STANZA${(stanzas += 1)}` as StanzaId;
    const names = { chat: ANN_JID, sender: ANN_JID, ...message };
    const messageId = deriveMessageId(connectionId, { ...names, stanzaId, timestampMs: Date.now() });
    const received = {
      tenantId,
      connectionId,
      messageId,
      stanzaId,
      createdAtMs: Date.now(),
      direction: 'in',
      senderName: undefined,
      content: {
        type: 'image',
        image: {},
      },
      flags: undefined,
      ...names,
    } as ReceivedMessage;
    await put(receivedMessageItem(received, Date.now()));
    const media: Media = {
      tenantId,
      connectionId,
      messageId,
      mediaId: deriveMediaId(messageId, 0),
      correlationId: 'cor-1' as CorrelationId,
      createdAtMs: Date.now(),
      shard: 0,
      type: 'image',
      told: {},
      file: {
        use: 'image',
        path: '/v/1',
        key: KEY,
      },
      state: 'pending',
      round: 1,
      ...given,
    };
    await put(toMediaItem(media, Date.now()));
    const owned = { tenantId, connectionId, shard: 0, token: 1 };
    const requests: FileRequest[] = [];
    const socket = {
      isThere: true,
      fails: false,
      askForFile: async (request: FileRequest) => {
        if (socket.fails) throw new Error('the line is cut');
        requests.push(request);
        return 'asked' as const;
      },
    };
    const stores = { table: core.table, stage: 'test', clock: systemClock };
    const parts = { media: new MediaStore(stores), askedFiles: new AskedFiles(stores) };
    const files = new ConnectionFiles({
      owned,
      ...parts,
      messages: core.messages,
      assertOpen: () => undefined,
      clock: systemClock,
      logger: silentLogger,
      socket: () => (socket.isThere ? socket : undefined),
    });
    const answering = { ...parts, queue, stage: 'test', queueUrlBase: queues.queueUrlBase };
    const waiting = () => findWaitingFiles(answering, owned, stanzaId);
    const take = (file: Parameters<typeof takeFileAnswer>[2], answer: Parameters<typeof takeFileAnswer>[3]) =>
      takeFileAnswer(answering, owned, file, answer);
    return { media, received, owned, files, socket, requests, parts, waiting, take };
  }
  const jobs = async () => {
    const QueueUrl = `${queues.queueUrlBase}${mediaQueueName('test')}`;
    const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { ReceiptHandle } of Messages) await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return Messages.map(({ Body = '' }) => mediaJobSchema.parse(JSON.parse(Body)));
  };
  const rowOf = async ({ mediaId }: Media) => {
    const Key = mediaKey(mediaId);
    return (await core.table.send(new GetCommand({ TableName: tableName('test', 'core'), Key }))).Item;
  };

  it.each<[why: string, message: Partial<ReceivedMessage>, expected: Partial<FileRequest>]>([
    ['a person', {}, { chat: ANN_JID, sender: ANN_JID, fromMe: false }],
    ['a group', { chat: GROUP, sender: ANN_JID }, { chat: GROUP, sender: ANN_JID, fromMe: false }],
    ['the account itself', { direction: 'echo' }, { chat: ANN_JID, fromMe: true }],
  ])('are named by the message of %s', async (_who, message, expected) => {
    const { files, media, requests, received } = await aMessageWithFile(message);

    const outcome = await files.handle(media.mediaId);

    expect(outcome).toBe('done');
    expect(requests).toMatchObject([{ ...expected, stanzaId: received.stanzaId, key: KEY }]);
  });

  it.each<[why: string, given: Partial<Media>]>([
    ['is here', { state: 'ready' }],
    ['has failed', { state: 'failed', fault: 'gone' }],
    ['has no key', { file: { use: 'image', path: '/v/1' } }],
  ])('are not asked for where a file %s', async (_why, given) => {
    const { files, media, requests } = await aMessageWithFile({}, given);

    const outcome = await files.handle(media.mediaId);

    expect([outcome, requests]).toEqual(['done', []]);
  });

  it('of another connection are not asked for', async () => {
    const [mine, other] = [await aMessageWithFile(), await aMessageWithFile()];

    await mine.files.handle(other.media.mediaId);

    expect(mine.requests).toEqual([]);
  });

  it('wait while the connection is offline, and are asked for when it is not', async () => {
    const { files, media, requests, socket } = await aMessageWithFile();
    socket.isThere = false;
    const outcome = await files.handle(media.mediaId);
    files.allow();
    await files.handle(media.mediaId);
    const before = [...requests];

    socket.isThere = true;
    files.allow();

    await until(
      'the request',
      () => requests,
      (all) => all.length > 0,
    );
    await files.finish();
    expect([outcome, before, requests.length]).toEqual(['done', [], 1]);
  });

  it('go back with their command when the line is cut, and nothing begins after the end', async () => {
    const { files, media, requests, socket } = await aMessageWithFile();
    socket.fails = true;

    await expect(files.handle(media.mediaId)).rejects.toThrow('the line is cut');
    socket.fails = false;
    await files.finish();

    expect([await files.handle(media.mediaId), requests]).toEqual(['later', []]);
  });

  it('are found by the answer, whoever asked, and fetched from where the phone has put them', async () => {
    const { files, media, waiting, take } = await aMessageWithFile();
    await files.handle(media.mediaId);

    const [file] = await waiting();
    if (file !== undefined) await take(file, { answer: 'given', path: '/v/2' });

    expect(await rowOf(media)).toMatchObject({ state: 'pending', answer: 'given', file: { path: '/v/2', key: KEY } });
    expect(await jobs()).toEqual([{ version: 1, tenantId: media.tenantId, mediaId: media.mediaId }]);
    expect(await waiting()).toEqual([]);
  });

  it('come to the same when the answer comes twice, or its worker died before it was done', async () => {
    const { files, media, waiting, take, parts } = await aMessageWithFile();
    await files.handle(media.mediaId);
    const [file] = await waiting();
    // The row was written, and neither the job nor the end of the note.
    await parts.media.noteAnswer(media, 'given', '/v/2');
    const before = [await jobs(), await waiting()];

    if (file !== undefined) await take(file, { answer: 'given', path: '/v/2' });
    if (file !== undefined) await take(file, { answer: 'given', path: '/v/2' });

    expect(before).toMatchObject([[], [{ mediaId: media.mediaId }]]);
    expect(await jobs()).toHaveLength(2);
    expect(await rowOf(media)).toMatchObject({ file: { path: '/v/2' } });
  });

  it.each([
    ['absent', 1, 'absent'],
    ['failed', 0, 'failed'],
    ['unreadable', 0, undefined],
  ] as const)('answered by %s make %i jobs', async (answer, count, noted) => {
    const { files, media, waiting, take } = await aMessageWithFile();
    await files.handle(media.mediaId);

    for (const file of await waiting()) await take(file, { answer });

    expect(await jobs()).toHaveLength(count);
    expect((await rowOf(media))?.['answer']).toBe(noted);
  });

  it('of an earlier round are forgotten', async () => {
    const { files, media, waiting } = await aMessageWithFile();
    await files.handle(media.mediaId);
    await put({ ...toMediaItem({ ...media, round: 2 }, Date.now()) });

    expect(await waiting()).toEqual([]);
  });
});
