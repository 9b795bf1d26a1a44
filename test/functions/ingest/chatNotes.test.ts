import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatNotes } from '../../../functions/ingest/chatNotes.ts';
import { makeIngestHandler } from '../../../functions/ingest/handler.ts';
import { ChatStore, NEW_CHATS_A_DAY } from '../../../shared/chat/chatStore.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { LoggedEvent } from '../../../shared/event/recording/loggedEvent.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { aBatch, aMessageFact, newIds } from '../../shared/event/eventStores.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { aRecord, startQueueStack, type QueueStack } from '../queueStack.ts';

const LID = '222@lid';
const PN = '4915100000002@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
let stanzas = 0;
const from = (chat: string, overrides: object = {}): Fact =>
  aMessageFact({
    chat,
    sender: chat,
    stanzaId: `S${(stanzas += 1)}`,
    key: `message:${stanzas}`,
    receivedAtMs: 1_785_000_000_000 + stanzas,
    ...overrides,
  } as never);

describe('chats in what ingest records', () => {
  let stack: QueueStack;
  beforeAll(async () => {
    stack = await startQueueStack();
  });
  afterAll(() => stack.stop());

  const store = (): ChatStore => new ChatStore(stack);
  const chatsOf = async (connectionId: ConnectionId) =>
    (await store().list(connectionId, {}, stack.clock.nowMs())).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const handle = async (ids: ReturnType<typeof newIds>, facts: readonly Fact[], id: string, parts: object = {}) =>
    makeIngestHandler({ ...stack, ...parts })({
      Records: [aRecord(JSON.stringify(aBatch(ids, facts, id)), { id, group: ids.connectionId })],
    });
  /** A fact that reaches ingest by the queue, as those of merges do. */
  const looping = (ids: ReturnType<typeof newIds>) =>
    ({
      send: async ({ input }: { readonly input: { readonly MessageBody?: string } }) => {
        if (input.MessageBody !== undefined) {
          await makeIngestHandler(stack)({
            Records: [aRecord(input.MessageBody, { id: `told${(stanzas += 1)}`, group: ids.connectionId })],
          });
        }
        return {};
      },
    }) as unknown as QueueStack['queue'];

  it('are noted once, however often their batch comes, with what is unread of each', async () => {
    const ids = newIds();
    const facts = [from(LID), from(LID), from(GROUP, { sender: LID }), from(GROUP, { sender: '1@lid', fromMe: true })];

    for (let again = 0; again < 3; again += 1) await handle(ids, facts, 'one');

    expect(await chatsOf(ids.connectionId)).toMatchObject([
      { id: GROUP, unread: 0 },
      { id: LID, unread: 2 },
    ]);
  });

  it('cost one read and one write for all of an invocation once they are there', async () => {
    const ids = newIds();
    const calls: string[] = [];
    const table = new Proxy(stack.table, {
      get: (target, name) =>
        name === 'send'
          ? (command: object) => {
              calls.push(command.constructor.name);
              return target.send(command as never);
            }
          : Reflect.get(target, name),
    });
    const chats = new ChatNotes({ ...stack, chats: new ChatStore({ ...stack, table }) });
    const people = ['301@lid', '302@lid', '303@lid'];
    await handle(
      ids,
      people.map((one) => from(one)),
      'one',
      { chats },
    );
    const first = calls.splice(0);
    await handle(
      ids,
      people.map((one) => from(one)),
      'two',
      { chats },
    );

    expect(first).toEqual(['BatchGetCommand', 'UpdateCommand', 'BatchExecuteStatementCommand']);
    expect(calls).toEqual(['BatchGetCommand', 'BatchExecuteStatementCommand']);
    expect(await chatsOf(ids.connectionId)).toMatchObject(people.map((id) => ({ id, unread: 2 })));
  });

  it('lose nothing where two processes write the same chat at once', async () => {
    const ids = newIds();
    const eventOf = (place: number): LoggedEvent => {
      const messageId = `msg_01K3C5F7XQ8M2V4N6B9D0E1G${String(place).padStart(2, '0')}`;
      const data = { messageId, chat: { id: LID, lid: LID }, content: { type: 'text', text: { body: 'x' } } };
      return {
        eventId: 'e',
        type: 'message.received',
        correlationId: 'c',
        text: JSON.stringify({ type: 'message.received', occurredAt: '2026-08-01T12:00:05.000Z', data }),
      } as unknown as LoggedEvent;
    };
    const { events: _, ...source } = aBatch(ids, []);
    const notes = () => new ChatNotes({ ...stack, chats: store() });
    await notes().note([{ source, facts: [], events: [eventOf(1)] }]);

    await Promise.all([2, 3].map(async (place) => notes().note([{ source, facts: [], events: [eventOf(place)] }])));

    const [chat] = await chatsOf(ids.connectionId);
    // Whichever comes second counts, or is the older one and does not.
    expect([2, 3]).toContain(chat?.unread);
    expect((await store().find(ids.connectionId, LID, stack.clock.nowMs()))?.lastMessageId).toBe(
      'msg_01K3C5F7XQ8M2V4N6B9D0E1G03',
    );
  });

  it('are one where WhatsApp tells that two were one, with all that was unread', async () => {
    const ids = newIds();
    await handle(ids, [from(PN), from(PN)], 'one');
    const { PeopleNotes } = await import('../../../functions/ingest/peopleNotes.ts');
    const { ContactStore } = await import('../../../shared/contact/contactStore.ts');
    const people = new PeopleNotes({ ...stack, queue: looping(ids), contacts: new ContactStore(stack) });

    await handle(ids, [from(LID, { chatAlias: PN, senderAlias: PN })], 'two', { people });
    await handle(ids, [from(PN)], 'three');

    expect(await chatsOf(ids.connectionId)).toMatchObject([{ id: LID, unread: 4 }]);
    const byNumber = await store().find(ids.connectionId, PN, stack.clock.nowMs());
    expect(byNumber).toMatchObject({ id: LID, number: '4915100000002' });
  });

  it('are no more than so many new ones a day, whoever writes; a chat that is there goes on', async () => {
    const ids = newIds();
    const metrics = keepingMetrics();
    await handle(ids, [from(LID)], 'one');
    expect(await store().admit(ids.connectionId, NEW_CHATS_A_DAY - 2, stack.clock.nowMs())).toBe('admitted');

    const chats = new ChatNotes({ ...stack, metrics, chats: store() });
    await handle(ids, [from('301@lid'), from('302@lid'), from(LID)], 'two', { chats });

    expect(await chatsOf(ids.connectionId)).toMatchObject([{ id: LID, unread: 2 }]);
    expect(metrics.totalOf('ChatsNotKept', {})).toBe(2);
  });

  it('are none of a status or a broadcast list, and one of a channel', async () => {
    const ids = newIds();
    const sender = LID;

    await handle(
      ids,
      [from('status@broadcast', { sender }), from('1234@broadcast', { sender }), from('12@newsletter')],
      'one',
    );

    expect(await chatsOf(ids.connectionId)).toMatchObject([{ id: '12@newsletter', unread: 1 }]);
  });

  it('have the marks of the phone, and the subject of a group that has written', async () => {
    const ids = newIds();
    const mark = (key: string, marks: object): Fact => ({
      kind: 'chat_mark',
      key,
      atMs: stack.clock.nowMs(),
      chat: GROUP,
      ...marks,
    });
    const named = (group: string): Fact => ({
      kind: 'group_change',
      key: `g:${group}`,
      atMs: stack.clock.nowMs(),
      group,
      changes: { subject: 'Staff' },
    });
    await handle(ids, [from(GROUP, { sender: LID })], 'one');

    await handle(
      ids,
      [
        mark('a', { archived: true, unread: true }),
        mark('b', { mutedUntilMs: -1 }),
        named(GROUP),
        named('120363000000000009@g.us'),
      ],
      'two',
    );

    expect(await store().find(ids.connectionId, GROUP, stack.clock.nowMs())).toMatchObject({
      unread: 1,
      markedUnread: true,
      archived: true,
      mutedUntilMs: -1,
      subject: 'Staff',
    });
    expect(await chatsOf(ids.connectionId)).toHaveLength(1);
  });

  it('are left where the store fails, which harms no message', async () => {
    const ids = newIds();
    const broken = { send: () => Promise.reject(new Error('away')) } as unknown as QueueStack['table'];
    const chats = new ChatNotes({ ...stack, chats: new ChatStore({ ...stack, table: broken }) });

    expect(await handle(ids, [from(LID)], 'one', { chats })).toEqual({ batchItemFailures: [] });
    expect(await chatsOf(ids.connectionId)).toEqual([]);
    await handle(ids, [from(LID)], 'two');

    expect(await chatsOf(ids.connectionId)).toMatchObject([{ id: LID }]);
  });
});
