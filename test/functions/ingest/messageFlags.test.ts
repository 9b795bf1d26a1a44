import { describe, expect, it } from 'vitest';
import { toMessageView } from '../../../functions/routes/views.ts';
import { eventSchema, type TenantEvent } from '../../../shared/event/event.ts';
import { FOR_EVER, type ChatMarks } from '../../../shared/message/chatMarks.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { MessageFlagFact } from '../../../shared/event/facts/messageFlagFact.ts';
import { messageKey } from '../../../shared/event/facts/messageKey.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { withOtherNames } from '../../../worker/socket/wire/otherNames.ts';
import { aBatch, aSentMessage, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';

const BOB = '4915100000002@s.whatsapp.net';
const BOB_LID = '222@lid';
const GROUP = '120363000000000001@g.us';
const NAMES = new Map([
  [BOB, BOB_LID],
  [BOB_LID, BOB],
]);
const AT = 1_790_000_000_000;

describe('what the account does to a message or a chat for itself alone', () => {
  const room = eventRoom();
  let flags = 0;

  const record = (...facts: readonly Fact[]) =>
    recordFacts(
      room.stores,
      aBatch(
        room.ids,
        facts.map((fact) => withOtherNames(fact, NAMES)),
        room.nextBatchId(),
      ),
    );
  const aMessage = (stanzaId: string, { chat = BOB, sender = BOB, fromMe = false } = {}): Fact => {
    const identity = { chat, sender, fromMe, stanzaId: stanzaId as StanzaId };
    const content = { type: 'text', text: { body: stanzaId } } as const;
    return { kind: 'message', key: messageKey(identity), atMs: AT, ...identity, content };
  };
  const aFlag = (stanzaId: string, more: Partial<MessageFlagFact> = {}): MessageFlagFact => ({
    kind: 'message_flag',
    key: `app_state:${(flags += 1)}`,
    atMs: AT + 1_000,
    stanzaId: stanzaId as StanzaId,
    chat: BOB,
    fromMe: false,
    flag: 'starred',
    isSet: true,
    ...more,
  });
  const events = async (): Promise<readonly TenantEvent[]> => {
    const read = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    expect(read.events.map((event) => eventSchema.parse(event))).toEqual(read.events);
    return read.events;
  };
  const told = async () => (await events()).filter(({ type }) => type !== 'message.received');
  const shown = async () => {
    const { messages } = await room.stores.messages.list(room.ids.connectionId, {
      before: undefined,
      limit: 50,
      nowMs: 0,
    });
    return messages.map((message) => toMessageView(message));
  };

  it('stands on the message, which is named by either address, and is told once for each change', async () => {
    await record(aMessage('ONE'));

    await record(aFlag('ONE', { chat: BOB_LID }));
    await record(aFlag('ONE'));

    const [message] = await shown();
    expect(message).toMatchObject({ stanzaId: 'ONE', starred: true });
    expect(await told()).toMatchObject([
      {
        type: 'message.starred',
        data: { original: { messageId: message?.id, sender: { id: BOB_LID } }, chat: { id: BOB_LID }, starred: true },
      },
    ]);
    await record(
      aFlag('ONE', { isSet: false }),
      aFlag('ONE', { flag: 'deleted_for_me' }),
      aFlag('ONE', { flag: 'deleted_for_me' }),
    );
    const [after] = await shown();
    expect(after).not.toHaveProperty('starred');
    expect(after).toMatchObject({ deletedForMeAt: new Date(AT + 1_000).toISOString(), content: { type: 'text' } });
    expect((await told()).map(({ type }) => type)).toEqual([
      'message.starred',
      'message.starred',
      'message.deleted_for_me',
    ]);
  });

  it('is told once where its batch comes twice', async () => {
    await record(aMessage('ONE'));
    const batch = aBatch(room.ids, [aFlag('ONE')], room.nextBatchId());

    await recordFacts(room.stores, batch);
    await recordFacts(room.stores, batch);

    expect(await told()).toHaveLength(1);
    expect(await shown()).toMatchObject([{ starred: true }]);
  });

  it('stands on what was sent through the API, and on nothing in another chat or of another writer', async () => {
    const sent = { ...aSentMessage(room.ids), to: BOB, state: 'sent' as const };
    await room.stores.messages.create(sent, 0);
    await record(aMessage('IN GROUP', { chat: GROUP }));

    await record(
      aFlag(sent.stanzaId, { fromMe: true }),
      aFlag(sent.stanzaId, { fromMe: true, chat: GROUP }),
      aFlag('IN GROUP'),
      aFlag('IN GROUP', { chat: GROUP, sender: '333@lid' }),
      aFlag('IN GROUP', { chat: GROUP, sender: BOB_LID }),
    );

    const data = (await told()).map((event) => (event as { data: { original: object } }).data.original);
    expect(data.map((original) => 'messageId' in original)).toEqual([true, false, false, false, true]);
    expect((await shown()).map(({ starred }) => starred)).toEqual([true, true]);
  });

  it.each<[ChatMarks, object]>([
    [{ unread: true }, { unread: true }],
    [{ archived: false }, { archived: false }],
    [{ pinned: true }, { pinned: true }],
    [{ mutedUntilMs: 0 }, { muted: false }],
    [{ mutedUntilMs: FOR_EVER }, { muted: true }],
    [{ mutedUntilMs: AT }, { muted: true, mutedUntil: new Date(AT).toISOString() }],
  ])('is told of a chat by all its names, with what has changed alone: %j', async (marks, shown) => {
    await record({ kind: 'chat_mark', key: 'app_state:mark', atMs: AT, chat: BOB, ...marks });

    const chat = { id: BOB_LID, lid: BOB_LID, phoneNumber: '+4915100000002' };
    expect((await told()).map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'chat.updated', data: { chat, ...shown } },
    ]);
  });

  it('is told of labels, and of the message that one is on, whoever wrote it', async () => {
    const sent = { ...aSentMessage(room.ids), to: BOB, state: 'sent' as const };
    await room.stores.messages.create(sent, 0);
    await record(aMessage('THEIRS'));
    const label = { key: 'app_state:label', atMs: AT, labelId: '7' } as const;
    const on = { kind: 'label_assign', atMs: AT, labelId: '7', chat: BOB, isSet: true } as const;

    await record(
      { ...label, kind: 'label_change', name: 'To be paid', color: 3, isDeleted: false },
      { ...on, key: 'app_state:chat' },
      { ...on, key: 'app_state:theirs', stanzaId: 'THEIRS' as StanzaId },
      { ...on, key: 'app_state:ours', stanzaId: sent.stanzaId, isSet: false },
      { ...on, key: 'app_state:unknown', stanzaId: 'UNKNOWN' as StanzaId },
    );

    const data = (await told()).map((event) => (event as { readonly data: Record<string, unknown> }).data);
    expect(data).toEqual([
      { label: { id: '7', name: 'To be paid', color: 3 }, deleted: false },
      { labelId: '7', chat: expect.objectContaining({ id: BOB_LID }), assigned: true },
      expect.objectContaining({ original: { messageId: expect.any(String), stanzaId: 'THEIRS' }, assigned: true }),
      expect.objectContaining({
        original: { messageId: sent.messageId, stanzaId: sent.stanzaId },
        assigned: false,
      }),
      expect.objectContaining({ original: { stanzaId: 'UNKNOWN' } }),
    ]);
  });

  it.each([
    [{ how: 'cleared', keptStarred: true }, 'chat.cleared', { keptStarred: true }],
    [{ how: 'cleared', keptStarred: false }, 'chat.cleared', { keptStarred: false }],
    [{ how: 'deleted', keptStarred: false }, 'chat.deleted', {}],
  ] as const)('is told of a chat that is emptied, whose messages stay as they are: %j', async (how, type, data) => {
    await record(aMessage('ONE'));
    const before = await shown();

    await record({ kind: 'chat_emptied', key: 'app_state:gone', atMs: AT, chat: BOB, untilMs: AT, ...how });

    expect(await told()).toMatchObject([
      { type, data: { chat: { id: BOB_LID }, until: new Date(AT).toISOString(), ...data } },
    ]);
    expect(await shown()).toEqual(before);
  });
});
