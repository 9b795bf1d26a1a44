import { describe, expect, it } from 'vitest';
import { deflateSync } from 'node:zlib';
import { deriveMessageId, type MessageId, type StanzaId } from '../../../../shared/kernel/id.ts';
import { messageKey as factKey } from '../../../../shared/event/facts/messageKey.ts';
import { receivedMessageItem } from '../../../../shared/message/messageWrites.ts';
import { MessageStore } from '../../../../shared/message/messageStore.ts';
import { PastMessages } from '../../../../shared/message/pastMessages.ts';
import { handledFactKey } from '../../../../shared/platform/keys.ts';
import { tableName } from '../../../../shared/platform/tables.ts';
import { ContactStore } from '../../../../shared/contact/contactStore.ts';
import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { proto } from '@whiskeysockets/baileys';
import { eventQueueName } from '../../../../shared/platform/queues.ts';
import { batchEnvelopeSchema } from '../../../../shared/event/factBatch.ts';
import { newIds } from '../../../shared/event/eventStores.ts';
import { receive } from '../../queueStack.ts';
import { bytesOf, HistoryRoom, textsOf } from './historyRoom.ts';
import { answering } from '../fileHost.ts';
import { historyParts } from '../historyParts.ts';
import type { HistoryBody } from '../../../whatsapp/history.ts';

const DAY = 86_400;
/** Long before any connection of these tests was made. */
const LONG_AGO = Math.floor(Date.now() / 1_000) - 200 * DAY;
const ADA = '4915123456789@s.whatsapp.net';
const ADA_LID = '236471520047@lid';
const GROUP = '1203630000@g.us';

type Chat = NonNullable<HistoryBody['chats']>[number];
const aChat = (id: string, count: number, given: Partial<Chat> = {}): Chat => ({
  id,
  messages: Array.from({ length: count }, (_, place) => ({
    id: `3A${id.slice(0, 8)}${place}`,
    at: LONG_AGO - place * 60,
    fromMe: place % 2 === 1,
    text: `${place} of ${id} 😀`,
    ...(id.endsWith('@g.us') ? { participant: ADA } : {}),
  })),
  ...given,
});

const REACTION = Buffer.from(
  proto.Message.encode({ reactionMessage: { key: { remoteJid: ADA, id: 'X' }, text: '👍' } }).finish(),
).toString('base64');
const IMAGE = Buffer.from(
  proto.Message.encode({
    imageMessage: {
      directPath: '/v/1',
      mediaKey: Buffer.alloc(32, 1),
      fileSha256: Buffer.alloc(32, 2),
      mimetype: 'image/jpeg',
      caption: 'a dog',
    },
  }).finish(),
).toString('base64');

/** A store whose process dies after so many calls: what was called then may have taken effect. */
function dying(table: DynamoDBDocumentClient, survived: number) {
  let calls = 0;
  const send = async (command: never): Promise<unknown> => {
    calls += 1;
    if (calls > survived + 1) throw new Error('the process is dead');
    const answer = await table.send(command);
    if (calls > survived) throw new Error('the process died');
    return answer;
  };
  return {
    table: new Proxy(table, { get: (on, name) => (name === 'send' ? send : Reflect.get(on, name)) }),
    count: () => calls,
  };
}

describe('a history', { timeout: 120_000 }, () => {
  const room = new HistoryRoom();

  /** What was told of a connection: the queue has that of other tests before it. */
  async function factsOf(connection: string): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for (;;) {
      const QueueUrl = `${room.stack.queueUrlBase}${eventQueueName('test')}`;
      const received = await receive(room.stack, QueueUrl);
      for (const { Body = '', ReceiptHandle = '' } of received) {
        await room.stack.queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        const { connectionId, events } = batchEnvelopeSchema.parse(JSON.parse(Body));
        if (connectionId === connection) found.push(...(events as Record<string, unknown>[]));
      }
      if (received.length === 0) return found;
    }
  }

  it('is taken in from the host of files: each message in its chat, the newest first', async () => {
    const ids = newIds();
    const { state, counts } = await room.takeIn(ids, {
      chats: [aChat(ADA, 25, { lid: ADA_LID, unread: 3, archived: true }), aChat(GROUP, 5, { name: 'Climbing' })],
    });

    expect([state, counts]).toEqual(['done', { chats: 2, stored: 30, known: 0, acts: 0, system: 0, unreadable: 0 }]);
    const found = await room.messagesOf(ids, [ADA_LID, ADA]);
    expect(textsOf(found)).toEqual(Array.from({ length: 25 }, (_, place) => `${place} of ${ADA} 😀`));
    expect(found.map(({ direction }) => direction)).toEqual(found.map((_, place) => (place % 2 === 1 ? 'echo' : 'in')));
    expect(await room.chat(ids, ADA)).toMatchObject({
      id: ADA_LID,
      lastMessageId: found[0]?.messageId,
      lastAtMs: LONG_AGO * 1_000,
      unread: 3,
      archived: true,
    });
    expect(await room.chat(ids, GROUP)).toMatchObject({ subject: 'Climbing' });
    expect((await room.messagesOf(ids, [GROUP])).length).toBe(5);
  });

  it('is taken in from its notice, and each message is found by its id', async () => {
    const ids = newIds();
    const noticeId = await room.record(ids, { inline: deflateSync(bytesOf({ chats: [aChat(ADA, 130)] })) });
    await room.run(ids, noticeId);

    const found = await room.messagesOf(ids, [ADA], 50);
    const store = new MessageStore({ ...room.stack, past: new PastMessages(room.stack) });
    expect(found.length).toBe(130);
    for (const message of found) expect(await store.find(ids.connectionId, message.messageId)).toEqual(message);
    expect(await store.find(newIds().connectionId, found[0]?.messageId as MessageId)).toBeUndefined();
    expect('inline' in (await room.notice(ids, noticeId)).place).toBe(false);
  });

  it('that comes twice, in parts that overlap and in the wrong order, has each message once', async () => {
    const ids = newIds();
    const all = aChat(ADA, 60);
    const part = (from: number, to: number): Chat => ({ ...all, messages: (all.messages ?? []).slice(from, to) });
    await room.takeIn(ids, { chats: [part(40, 60)] }, { chunk: 3 });
    await room.takeIn(ids, { chats: [part(0, 25)] }, { chunk: 1 });
    await room.takeIn(ids, { chats: [part(0, 25)] }, { chunk: 1 });
    const { counts } = await room.takeIn(ids, { chats: [part(15, 50)] }, { chunk: 2, type: 'initial' });

    expect([counts.stored, counts.known]).toEqual([15, 20]);
    expect(textsOf(await room.messagesOf(ids, [ADA]))).toEqual(
      Array.from({ length: 60 }, (_, place) => `${place} of ${ADA} 😀`),
    );
    expect((await room.chat(ids, ADA))?.lastAtMs).toBe(LONG_AGO * 1_000);
  });

  it('has one chat for a person, whichever address the phone names', async () => {
    const ids = newIds();
    await room.takeIn(ids, { chats: [aChat(ADA, 3)] });
    await room.takeIn(ids, {
      chats: [aChat(ADA_LID, 2), aChat(ADA, 3)],
      addresses: [{ phone: ADA, lid: ADA_LID }],
      names: [{ id: ADA_LID, name: 'Ada' }],
    });

    const found = await room.messagesOf(ids, [ADA_LID, ADA]);
    expect(found.length).toBe(5);
    const contact = await new ContactStore(room.stack).find(ids.connectionId, ADA, Date.now());
    expect(contact).toMatchObject({ id: ADA_LID, push: 'Ada', number: '4915123456789' });
  });

  it.each(['before', 'after'] as const)('leaves alone a message that came by itself %s it', async (order) => {
    const ids = newIds();
    const at = Math.floor(Date.now() / 1_000) - 5;
    const chats: readonly Chat[] = [
      {
        id: ADA,
        unread: 1,
        messages: [
          { id: 'LIVE1', at, text: 'seen live' },
          { id: 'OLD1', at: LONG_AGO, text: 'old' },
        ],
      },
    ];
    const live = async (): Promise<void> => {
      const identity = { chat: ADA, sender: ADA, stanzaId: 'LIVE1' as StanzaId };
      const messageId = deriveMessageId(ids.connectionId, { ...identity, timestampMs: Date.now() });
      const message = {
        ...ids,
        ...identity,
        messageId,
        direction: 'in' as const,
        createdAtMs: at * 1_000,
        senderName: undefined,
        flags: undefined,
        content: { type: 'text' as const, text: { body: 'seen live' } },
      };
      const TableName = tableName('test', 'core');
      await room.stack.table.send(new PutCommand({ TableName, Item: { ...receivedMessageItem(message, Date.now()) } }));
      const fact = handledFactKey(ids.connectionId, factKey({ ...identity, fromMe: false }));
      await room.stack.table.send(new PutCommand({ TableName, Item: { ...fact, messageId } }));
    };
    if (order === 'before') await live();
    const { counts } = await room.takeIn(ids, { chats: [...chats] });
    if (order === 'after') await live();

    expect([counts.stored, counts.known]).toEqual(order === 'before' ? [1, 1] : [2, 0]);
    expect(textsOf(await room.messagesOf(ids, [ADA]))).toEqual(['seen live', 'old']);
  });

  it.each([
    ['without an id', { id: '' }],
    ['long before WhatsApp', { at: 0 }],
    ['in the year 9999', { at: Date.UTC(9999, 0, 1) / 1_000 }],
  ])('passes over a message %s and counts it', async (_, wrong) => {
    const ids = newIds();
    const { counts } = await room.takeIn(ids, {
      chats: [
        {
          id: ADA,
          messages: [
            { id: 'A', at: LONG_AGO, text: 'good' },
            { id: 'B', at: LONG_AGO - 1, text: 'bad', ...wrong },
          ],
        },
      ],
    });

    expect([counts.stored, counts.unreadable]).toEqual([1, 1]);
    expect(textsOf(await room.messagesOf(ids, [ADA]))).toEqual(['good']);
  });

  it('passes over a chat without an id, the statuses of others, and what was done to messages', async () => {
    const ids = newIds();
    const { counts } = await room.takeIn(ids, {
      chats: [
        aChat('', 2),
        aChat('status@broadcast', 3),
        {
          id: ADA,
          messages: [
            { id: 'R', at: LONG_AGO, message: REACTION },
            { id: 'S', at: LONG_AGO, message: '' },
          ],
        },
      ],
    });

    expect(counts).toMatchObject({ stored: 0, unreadable: 2, acts: 1, chats: 1 });
    expect(counts.system).toBe(4);
    expect(await room.chat(ids, ADA)).toBeUndefined();
  });

  it('bounds what it keeps of a text that is longer than any', async () => {
    const ids = newIds();
    await room.takeIn(ids, { chats: [{ id: ADA, messages: [{ id: 'A', at: LONG_AGO, text: '😀'.repeat(70_000) }] }] });

    const [text = ''] = textsOf(await room.messagesOf(ids, [ADA]));
    expect(Array.from(text).length).toBe(65_536);
    expect(text.startsWith('😀😀')).toBe(true);
  });

  it.each([
    ['broken', (sealed: Buffer) => Buffer.concat([sealed.subarray(0, -1), Buffer.from([(sealed.at(-1) ?? 0) ^ 1])])],
    ['broken', (sealed: Buffer) => sealed.subarray(0, sealed.length >> 1)],
  ] as const)('is given up as %s where its bytes are not those that the phone sealed', async (fault, change) => {
    const ids = newIds();
    const noticeId = await room.record(ids, room.atHost(bytesOf({ chats: [aChat(ADA, 50)] }), change));
    await room.run(ids, noticeId);

    expect(await room.notice(ids, noticeId)).toMatchObject({ state: 'failed', fault, counts: { stored: 0 } });
    expect(await room.messagesOf(ids, [ADA])).toEqual([]);
  });

  it('is given up where it is none, is gone, or has no place', async () => {
    const ids = newIds();
    const key = Buffer.alloc(32, 1).toString('base64');
    const file = { path: '/v/gone.enc', key, sha256: key, use: 'history' } as const;
    room.host.behave('/v/gone.enc', answering(404));
    const places = [
      ['malformed', { inline: deflateSync(Buffer.from('no history')) }],
      ['malformed', { inline: Buffer.from('not packed') }],
      ['gone', { file }],
      ['no_place', { lost: 'no_place' }],
      ['too_large', { lost: 'too_large' }],
    ] as const;
    for (const [fault, place] of places) {
      const noticeId = await room.record(ids, place);
      await room.run(ids, noticeId);
      expect((await room.notice(ids, noticeId)).fault).toBe(fault);
    }
  });

  it('waits for a host that does not answer, and is given up after its last try', async () => {
    const ids = newIds();
    room.host.behave('/v/busy.enc', answering(503));
    const key = Buffer.alloc(32, 1).toString('base64');
    const noticeId = await room.record(ids, { file: { path: '/v/busy.enc', key, sha256: key, use: 'history' } });

    expect(await room.run(ids, noticeId)).toHaveProperty('hiddenForSeconds');
    expect((await room.notice(ids, noticeId)).state).toBe('waiting');
    expect(await room.run(ids, noticeId, {}, 12)).toBe('done');
    expect((await room.notice(ids, noticeId)).fault).toBe('unreachable');
  });

  it.each([
    ['none', 'recent', 0],
    ['none', 'on_demand', 3],
    ['recent', 'full', 0],
    ['recent', 'initial', 3],
    ['full', 'full', 3],
  ] as const)('is kept as the settings say: with %s, of type %s, %i messages', async (policy, type, kept) => {
    const ids = newIds();
    await room.takeIn(ids, { chats: [aChat(ADA, 3, { name: 'Ada Lovelace', lid: ADA_LID })] }, { policy, type });

    expect((await room.messagesOf(ids, [ADA, ADA_LID])).length).toBe(kept);
    const contact = await new ContactStore(room.stack).find(ids.connectionId, ADA, Date.now());
    expect(contact).toMatchObject({ id: ADA_LID, saved: 'Ada Lovelace' });
  });

  it('keeps the secret of a message, and the keys of its file, which is fetched when somebody asks', async () => {
    const ids = newIds();
    const secret = Buffer.alloc(32, 7).toString('base64');
    await room.takeIn(ids, { chats: [{ id: ADA, messages: [{ id: 'I', at: LONG_AGO, message: IMAGE, secret }] }] });

    const [message] = await room.messagesOf(ids, [ADA]);
    expect(message?.secret).toBe(Buffer.from(secret, 'base64').toString('base64url'));
    expect(message).toMatchObject({ files: [{ path: '/v/1', left: true }] });
  });

  it('is told part by part and as a whole, and nothing of it as new', async () => {
    const ids = newIds();
    await room.takeIn(ids, { chats: [aChat(ADA, 2)] }, { chunk: 1, progress: 50 });
    await room.takeIn(ids, { chats: [aChat(GROUP, 2)] }, { chunk: 2, progress: 100 });

    const told = await factsOf(ids.connectionId);
    expect(told.map(({ kind, chunk, whole }) => [kind, chunk, whole])).toEqual([
      ['history', 1, undefined],
      ['history', 2, undefined],
      ['history', 2, { parts: 2, failed: 0 }],
    ]);
    expect(told.at(-1)).toMatchObject({ counts: { stored: 4, chats: 2 } });
  });

  it('takes each message in once, at whichever call of the store the function dies', async () => {
    let isAlive = false;
    let calls = 0;
    for (let survived = 0; !isAlive; survived += 1) {
      const ids = newIds();
      const place = room.atHost(bytesOf({ chats: [aChat(ADA, 12, { lid: ADA_LID }), aChat(GROUP, 4)] }));
      const noticeId = await room.record(ids, place);
      const { table, count } = dying(room.stack.table, survived);
      const mortal = { ...room.stack, table };
      isAlive = await room.run(ids, noticeId, { ...historyParts(mortal), table }).then(
        () => true,
        () => false,
      );
      calls = count();
      await room.run(ids, noticeId);

      const notice = await room.notice(ids, noticeId);
      const sum = notice.counts.stored + notice.counts.known;
      expect([notice.state, sum], `after ${survived} calls`).toEqual(['done', 16]);
      expect((await room.messagesOf(ids, [ADA_LID, ADA])).length, `after ${survived} calls`).toBe(12);
      expect((await room.messagesOf(ids, [GROUP])).length).toBe(4);
      expect(await room.chat(ids, ADA)).toMatchObject({ lastAtMs: LONG_AGO * 1_000 });
    }
    expect(calls).toBeGreaterThan(10);
  });

  it('belongs to nobody else: another connection finds nothing of it', async () => {
    const ids = newIds();
    await room.takeIn(ids, { chats: [aChat(ADA, 2)] });

    expect(await room.messagesOf(newIds(), [ADA])).toEqual([]);
  });
});
