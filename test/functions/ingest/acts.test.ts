import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { BatchExecuteStatementCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import type { TenantEvent } from '../../../shared/event/event.ts';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import { eventSchema } from '../../../shared/event/event.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { Message, SentMessage } from '../../../shared/message/message.ts';
import { listVersions } from '../../../shared/message/messageVersions.ts';
import type { SealUse } from '../../../shared/wire/sealed.ts';
import { toMessageView } from '../../../functions/routes/views.ts';
import { withOtherNames } from '../../../worker/socket/wire/otherNames.ts';
import { toMessageFacts } from '../../../worker/socket/wire/messageFacts.ts';
import { aBatch, aSentMessage, eventRoom } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { sealWith } from '../../shared/wire/sealing.ts';

const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' };
const BOB = '4915100000002@s.whatsapp.net';
const BOB_LID = '222@lid';
const GROUP = '120363000000000001@g.us';
const SECRET = Buffer.alloc(32, 7);
const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;
const NAMES = new Map([
  [BOB, BOB_LID],
  [BOB_LID, BOB],
]);

interface Sent {
  readonly id: string;
  readonly message: proto.IMessage;
  /** The attributes of the stanza; from Bob by number when left out. */
  readonly attrs?: Readonly<Record<string, string>>;
}

/** The facts of a message, as a worker publishes them. */
function factsOf({ id, message, attrs = { from: BOB } }: Sent): readonly Fact[] {
  const stanza: BinaryNode = { tag: 'message', attrs: { id, t: '1790000000', ...attrs } };
  const bytes = proto.Message.encode(message).finish();
  return toMessageFacts(stanza, { outcome: 'unpadded', bytes }, ME).map(({ fact }) => withOtherNames(fact, NAMES));
}

const aText = (conversation: string): proto.IMessage => ({
  conversation,
  messageContextInfo: { messageSecret: SECRET },
});
const anEdit = (key: proto.IMessageKey, conversation: string): proto.IMessage => ({
  protocolMessage: { key, type: MESSAGE_EDIT, editedMessage: { conversation } },
});
const aRevoke = (key: proto.IMessageKey): proto.IMessage => ({ protocolMessage: { key, type: REVOKE } });
/** Bytes that are sealed with the secret of a message. */
const seal = (use: SealUse, stanzaId: string, [author, actor]: readonly [string, string], bytes: Uint8Array) =>
  sealWith(use, { secret: SECRET, stanzaId }, { author, actor }, bytes);
const aSealedEdit = (
  id: string,
  author: string,
  editor: string,
  message: proto.IMessage,
  key: proto.IMessageKey = { remoteJid: BOB, fromMe: true },
): proto.IMessage => ({
  secretEncryptedMessage: {
    targetMessageKey: { ...key, id },
    ...seal('edit', id, [author, editor], proto.Message.encode(message).finish()),
    secretEncType: proto.Message.SecretEncryptedMessage.SecretEncType.MESSAGE_EDIT,
  },
});
const aReaction = (key: proto.IMessageKey, text: string): proto.IMessage => ({ reactionMessage: { key, text } });

/** What a worker publishes of an act that was sent. */
const resultOf = (act: SentMessage, original: Pick<Message, 'messageId' | 'stanzaId'> | undefined): Fact => ({
  kind: 'send_result',
  key: `result:${act.messageId}`,
  atMs: 1_790_000_060_000,
  messageId: act.messageId,
  state: 'sent',
  ...(original === undefined ? {} : { changedId: original.messageId, changedStanzaId: original.stanzaId }),
});

describe('what is done to a message', () => {
  const room = eventRoom();

  const record = (...sent: readonly Sent[]) =>
    recordFacts(room.stores, aBatch(room.ids, sent.flatMap(factsOf), room.nextBatchId()));
  const events = async (): Promise<readonly TenantEvent[]> => {
    const read = await readEvents(room.stores, room.ids.tenantId, undefined, 100);
    expect(read.events.map((event) => eventSchema.parse(event))).toEqual(read.events);
    return read.events;
  };
  const last = async (): Promise<TenantEvent | undefined> => (await events()).at(-1);
  const rows = async () => {
    const { messages } = await room.stores.messages.list(room.ids.connectionId, {
      before: undefined,
      limit: 50,
      nowMs: 0,
    });
    return messages;
  };
  const versionsOf = async (messageId: string | undefined) => {
    const { connectionId } = room.ids;
    const of = { connectionId, messageId: messageId as never, nowMs: room.stores.clock.nowMs() };
    const { versions } = await listVersions(room.stores, of, { after: undefined, limit: 100 });
    return versions.map(({ content }) => content);
  };

  it('is told with the original, and every version is kept', async () => {
    await record({ id: 'ONE', message: aText('At eight?') });
    await record({ id: 'TWO', message: anEdit({ remoteJid: BOB, fromMe: true, id: 'ONE' }, 'At nine?') });
    await record({ id: 'THREE', message: anEdit({ remoteJid: BOB, fromMe: true, id: 'ONE' }, 'At ten?') });

    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ stanzaId: 'ONE', content: { text: { body: 'At ten?' } }, editedBy: 'THREE' });
    expect(await last()).toMatchObject({
      type: 'message.edited',
      data: {
        original: { messageId: row?.messageId, stanzaId: 'ONE', sender: { id: BOB_LID } },
        stanzaId: 'THREE',
        direction: 'in',
        content: { type: 'text', text: { body: 'At ten?' } },
      },
    });
    expect(await versionsOf(row?.messageId)).toEqual(
      ['At eight?', 'At nine?', 'At ten?'].map((body) => ({ type: 'text', text: { body } })),
    );
    expect(row && toMessageView(row)).toMatchObject({ editedAt: expect.any(String) });
  });

  it('finds the original in its own batch', async () => {
    await record(
      { id: 'ONE', message: aText('a') },
      { id: 'TWO', message: anEdit({ fromMe: true, id: 'ONE' }, 'b') },
      { id: 'THREE', message: anEdit({ fromMe: true, id: 'ONE' }, 'c') },
      { id: 'FOUR', message: aRevoke({ fromMe: true, id: 'ONE' }) },
    );

    const [row] = await rows();
    expect((await events()).map(({ type }) => type)).toEqual([
      'message.received',
      'message.edited',
      'message.edited',
      'message.deleted',
    ]);
    expect(await versionsOf(row?.messageId)).toHaveLength(3);
    expect(row).toMatchObject({ content: { text: { body: 'c' } }, deletedBy: 'FOUR' });
    expect(row && toMessageView(row)).toMatchObject({ deletedAt: expect.any(String), content: { type: 'text' } });
  });

  it.each([
    ['number and number', BOB, BOB],
    ['number and LID', BOB, BOB_LID],
    ['LID and number', BOB_LID, BOB],
    ['LID and LID', BOB_LID, BOB_LID],
  ])('is opened where it is sealed, whichever names it is bound to: %s', async (_names, author, editor) => {
    await record({ id: 'ONE', message: aText('At eight?') });
    await record({ id: 'TWO', message: aSealedEdit('ONE', author, editor, { conversation: 'At nine?' }) });
    const sealed = anEdit({ id: 'ONE', fromMe: true }, 'At ten?');
    await record({ id: 'THREE', message: aSealedEdit('ONE', author, editor, sealed), attrs: { from: BOB_LID } });

    const told = await events();
    expect(told.map(({ type }) => type)).toEqual(['message.received', 'message.edited', 'message.edited']);
    expect(told.map(({ data }) => 'content' in data && data.content)).toEqual(
      ['At eight?', 'At nine?', 'At ten?'].map((body) => ({ type: 'text', text: { body } })),
    );
  });

  it('is told without our id where the original is not known, and stays sealed', async () => {
    await record({ id: 'TWO', message: anEdit({ id: 'LOST', fromMe: true }, 'b') });
    expect(await last()).toMatchObject({ type: 'message.edited', data: { original: { stanzaId: 'LOST' } } });

    await record({ id: 'THREE', message: aSealedEdit('LOST', BOB, BOB, { conversation: 'c' }) });
    expect(await last()).toMatchObject({
      type: 'message.received',
      data: {
        content: { type: 'unsupported', unsupported: { kind: 'secretEncrypted' } },
        original: { stanzaId: 'LOST' },
      },
    });
  });

  const otherMember = { from: GROUP, participant: '333@lid' };
  it.each<readonly [string, Sent, Sent]>([
    [
      'an edit of what another member wrote',
      { id: 'ONE', message: aText('mine'), attrs: { from: GROUP, participant: BOB } },
      { id: 'TWO', message: anEdit({ id: 'ONE', participant: BOB }, 'changed'), attrs: otherMember },
    ],
    [
      'a message of another member that is called one of his own',
      { id: 'ONE', message: aText('mine'), attrs: { from: GROUP, participant: BOB } },
      { id: 'TWO', message: anEdit({ id: 'ONE', fromMe: true }, 'changed'), attrs: otherMember },
    ],
    [
      'a deletion by a member who is no administrator',
      { id: 'ONE', message: aText('mine'), attrs: { from: GROUP, participant: BOB } },
      { id: 'TWO', message: aRevoke({ id: 'ONE', participant: BOB }), attrs: otherMember },
    ],
    [
      'a deletion of what the account wrote',
      {
        id: 'ONE',
        message: { deviceSentMessage: { message: aText('mine') } },
        attrs: { from: ME.phoneJid, recipient: BOB },
      },
      { id: 'TWO', message: aRevoke({ id: 'ONE', fromMe: false }) },
    ],
    [
      'a deletion as an administrator, where there is none',
      {
        id: 'ONE',
        message: { deviceSentMessage: { message: aText('mine') } },
        attrs: { from: ME.phoneJid, recipient: BOB },
      },
      { id: 'TWO', message: aRevoke({ id: 'ONE', fromMe: false }), attrs: { from: BOB, edit: '8' } },
    ],
    [
      'an edit of a message in another chat',
      { id: 'ONE', message: aText('mine') },
      { id: 'TWO', message: anEdit({ id: 'ONE', participant: BOB }, 'x'), attrs: { from: GROUP, participant: BOB } },
    ],
    [
      'a sealed edit by somebody who knows the secret',
      { id: 'ONE', message: aText('mine'), attrs: { from: GROUP, participant: BOB } },
      {
        id: 'TWO',
        message: aSealedEdit('ONE', BOB, '333@lid', { conversation: 'changed' }, { participant: BOB }),
        attrs: otherMember,
      },
    ],
  ])('changes nothing that it has no right to: %s', async (_what, original, act) => {
    await record(original);
    const [before] = await rows();

    await record(act);

    const row = (await rows()).find(({ stanzaId }) => stanzaId === 'ONE');
    expect(row).toEqual(before);
    expect(row).toMatchObject({ editedBy: undefined, deletedBy: undefined });
  });

  it.each<readonly [string, proto.IMessage, object]>([
    ['a text', { conversation: 'changed' }, { type: 'text', text: { body: 'changed' } }],
    [
      'a list',
      { contactMessage: { displayName: 'Eve', vcard: 'BEGIN:VCARD\nFN:Eve\nEND:VCARD' } },
      { type: 'contacts', contacts: [{ name: { formatted_name: 'Eve' } }] },
    ],
  ])(
    'is told as what it says where its writer has no right to it, in the form of that: %s',
    async (_what, said, told) => {
      await record({ id: 'ONE', message: aText('mine'), attrs: { from: GROUP, participant: BOB } });

      const named = { remoteJid: GROUP, participant: BOB };
      await record({ id: 'TWO', message: aSealedEdit('ONE', BOB, '333@lid', said, named), attrs: otherMember });

      const data = (await last())?.data;
      const row = (await rows()).find(({ stanzaId }) => stanzaId === 'ONE');
      expect(data).toMatchObject({
        content: told,
        original: { stanzaId: 'ONE', messageId: row?.messageId },
      });
      expect(data).not.toHaveProperty('content.text.message_id');
    },
  );

  it('may be done by an administrator of a group', async () => {
    await record({ id: 'ONE', message: aText('spam'), attrs: { from: GROUP, participant: BOB } });

    await record({
      id: 'TWO',
      message: aRevoke({ id: 'ONE', participant: BOB_LID }),
      attrs: { ...otherMember, edit: '8' },
    });

    expect(await last()).toMatchObject({ type: 'message.deleted', data: { sender: { id: '333@lid' } } });
    expect((await rows())[0]).toMatchObject({ content: { text: { body: 'spam' } }, deletedBy: 'TWO' });
  });

  it('is done by the phone to what was sent through the API', async () => {
    const sent = aSentMessage(room.ids, { to: BOB, state: 'sent', secret: SECRET.toString('base64url') });
    await room.stores.messages.create(sent, 0);
    const key = { remoteJid: BOB, fromMe: true, id: sent.stanzaId };
    const attrs = { from: ME.phoneJid, recipient: BOB };

    await record({ id: 'TWO', message: { deviceSentMessage: { message: anEdit(key, 'hello, all') } }, attrs });
    await record({ id: 'THREE', message: { deviceSentMessage: { message: aRevoke(key) } }, attrs });

    const [row] = await rows();
    expect(row).toMatchObject({ state: 'sent', content: { text: { body: 'hello, all' } }, deletedBy: 'THREE' });
    expect(await last()).toMatchObject({
      data: { direction: 'echo', original: { messageId: sent.messageId, stanzaId: sent.stanzaId } },
    });
  });

  describe('through the API', () => {
    const anAct = async (content: object): Promise<SentMessage> => {
      const act = aSentMessage(room.ids, { to: BOB, content: content as SentMessage['content'] });
      await room.stores.messages.create(act, 0);
      return act;
    };
    const said = (body: string) => ({ edit: { message_id: 'x', text: { body } }, type: 'edit' });
    let batch = 0;
    const tell = (...facts: readonly Fact[]) =>
      recordFacts(room.stores, aBatch(room.ids, facts, `results-${(batch += 1)}`));

    it('changes the original once WhatsApp has it, keeps every version, and is no message of the list', async () => {
      const original = aSentMessage(room.ids, { to: BOB, state: 'sent' });
      await room.stores.messages.create(original, 0);
      const [first, second, third] = [await anAct(said('b')), await anAct(said('c')), await anAct(said('d'))];
      const revoke = await anAct({ type: 'revoke', revoke: { message_id: original.messageId } });
      const unsent = {
        ...resultOf(third, undefined),
        state: 'failed',
        error: { code: 'refused', sentence: 'no' },
      } as Fact;

      await tell(resultOf(first, original), resultOf(second, original), unsent);
      await tell(resultOf(first, original), resultOf(second, original), unsent);

      const [row, ...others] = await rows();
      expect(others).toEqual([]);
      expect(row).toMatchObject({ content: { text: { body: 'c' } }, editedBy: second.stanzaId, deletedBy: undefined });
      expect(await versionsOf(original.messageId)).toEqual(
        ['hello', 'b', 'c'].map((body) => ({ type: 'text', text: { body } })),
      );
      await tell(resultOf(revoke, original));
      expect((await rows())[0]).toMatchObject({ content: { text: { body: 'c' } }, deletedBy: revoke.stanzaId });
      const told = (await events()).map(({ type, data }) => [type, 'status' in data && data.status]);
      expect(told).toEqual(['sent', 'sent', 'failed', 'sent'].map((status) => ['message.status', status]));
      expect(await room.stores.messages.find(room.ids.connectionId, first.messageId)).toMatchObject({ state: 'sent' });
    });

    it('changes the caption alone of what another device sent, and nothing where the original is gone', async () => {
      const echo = { deviceSentMessage: { message: { imageMessage: { caption: 'a', width: 4, height: 3 } } } };
      await record({ id: 'ONE', message: echo, attrs: { from: ME.phoneJid, recipient: BOB } });
      const [original] = await rows();
      const act = await anAct({ type: 'edit', edit: { message_id: 'x', caption: 'b' } });
      const lost = await anAct(said('c'));

      await tell(resultOf(act, original));
      await tell(resultOf(lost, { messageId: aSentMessage(room.ids).messageId, stanzaId: 'LOST' as never }));

      expect(await rows()).toHaveLength(1);
      expect((await rows())[0]?.content).toEqual({ type: 'image', image: { caption: 'b', width: 4, height: 3 } });
      expect(await last()).toMatchObject({ type: 'message.status', data: { messageId: lost.messageId } });
    });
  });

  it('tells which message a reaction, a pin and a keep are for, and changes nothing', async () => {
    const sent = aSentMessage(room.ids, { to: BOB, state: 'sent' });
    await room.stores.messages.create(sent, 0);
    const ours = { remoteJid: ME.phoneJid, fromMe: false, id: sent.stanzaId };
    const before = await rows();

    await record({ id: 'ONE', message: aReaction(ours, '👍') });
    await record({ id: 'TWO', message: aReaction(ours, '') });
    await record({
      id: 'THREE',
      message: {
        pinInChatMessage: { key: ours, type: 1 },
        messageContextInfo: { messageAddOnDurationInSecs: 86_400 },
      },
    });
    await record({ id: 'FOUR', message: { keepInChatMessage: { key: ours, keepType: 1 } } });
    await record({ id: 'FIVE', message: aReaction({ fromMe: true, id: sent.stanzaId }, '👍') });

    const told = (await events()).map(({ type, data }) => [type, 'content' in data && data.content]);
    const about = { message_id: sent.messageId };
    expect(told).toEqual(
      [
        { type: 'reaction', reaction: { ...about, emoji: '👍' } },
        { type: 'reaction', reaction: about },
        { type: 'pin', pin: { ...about, type: 'pin', expiration_days: 1 } },
        { type: 'keep', keep: { ...about, type: 'keep' } },
        // The message that Bob would have written under that id is another one.
        { type: 'reaction', reaction: { emoji: '👍' } },
      ].map((content) => ['message.received', content]),
    );
    expect((await rows()).filter(({ direction }) => direction === 'out')).toEqual(before);
  });

  it('opens a sealed reaction, and leaves one sealed whose writer lies about who he is', async () => {
    await record({ id: 'ONE', message: aText('well?'), attrs: { from: GROUP, participant: BOB } });
    const bytes = proto.Message.ReactionMessage.encode({ text: '👍' }).finish();
    const reaction = (actor: string): proto.IMessage => ({
      encReactionMessage: {
        targetMessageKey: { remoteJid: GROUP, participant: BOB, id: 'ONE' },
        ...seal('reaction', 'ONE', [BOB, actor], bytes),
      },
    });
    const by = { from: GROUP, participant: '333@lid' };

    await record({ id: 'TWO', message: reaction('333@lid'), attrs: by });
    const [one, two] = await events();
    await record({ id: 'THREE', message: reaction('444@lid'), attrs: by });

    expect(two?.type === 'message.received' && two.data).toMatchObject({
      content: {
        type: 'reaction',
        reaction: { message_id: one?.type === 'message.received' && one.data.messageId, emoji: '👍' },
      },
      original: { stanzaId: 'ONE' },
    });
    expect(await last()).toMatchObject({
      data: { content: { type: 'unsupported', unsupported: { kind: 'encReaction' } } },
    });
  });

  it('opens a sealed comment', async () => {
    await record({ id: 'ONE', message: aText('well?'), attrs: { from: GROUP, participant: BOB } });
    const comment = (message: proto.IMessage): proto.IMessage => ({
      encCommentMessage: {
        targetMessageKey: { remoteJid: GROUP, participant: BOB, id: 'ONE' },
        ...seal('comment', 'ONE', [BOB_LID, '333@lid'], proto.Message.encode(message).finish()),
      },
    });
    const by = { from: GROUP, participant: '333@lid' };

    await record({ id: 'TWO', message: comment({ extendedTextMessage: { text: 'count me in' } }), attrs: by });
    await record({ id: 'THREE', message: comment({ commentMessage: { message: aText('me, too') } }), attrs: by });
    await record({ id: 'FOUR', message: comment({}), attrs: by });

    const [one, ...others] = await events();
    const about = { message_id: one?.type === 'message.received' && one.data.messageId };
    expect(others.map(({ data }) => 'content' in data && data.content)).toEqual([
      { type: 'comment', comment: { ...about, text: 'count me in' } },
      { type: 'comment', comment: { ...about, text: 'me, too' } },
      { type: 'unsupported', unsupported: { kind: 'encComment' } },
    ]);
  });

  it('tells our id of the message that is answered, wherever it came from', async () => {
    const sent = aSentMessage(room.ids, { to: BOB, state: 'sent' });
    await room.stores.messages.create(sent, 0);
    const reply = (stanzaId: string, participant: string): proto.IMessage => ({
      extendedTextMessage: { text: 'yes', contextInfo: { stanzaId, participant } },
    });
    await record(
      { id: 'ONE', message: aText('well?') },
      { id: 'TWO', message: reply('ONE', BOB_LID), attrs: { from: BOB_LID } },
      { id: 'THREE', message: reply(sent.stanzaId, ME.phoneJid) },
      { id: 'FOUR', message: reply(sent.stanzaId, ME.phoneJid), attrs: { from: GROUP, participant: BOB } },
    );

    const [one, two, three, four] = await events();
    const replyTo = (event: TenantEvent | undefined) =>
      event?.type === 'message.received' ? event.data.context?.replyTo : undefined;
    expect(replyTo(two)?.messageId).toBe(one?.type === 'message.received' ? one.data.messageId : 'none');
    expect(replyTo(three)?.messageId).toBe(sent.messageId);
    // The same id in another chat is another message.
    expect(replyTo(four)).toEqual({ stanzaId: sent.stanzaId, sender: expect.anything() });
  });

  describe('that is recorded again after a death at any of its writes', () => {
    const deaths = [1, 2, 3, 4].flatMap((at) => (['before', 'after'] as const).map((moment) => ({ at, moment })));

    /** Records a batch in a process that dies, and twice in others. */
    const recordThrough = async (batch: FactBatch, { at, moment }: (typeof deaths)[number]): Promise<void> => {
      const isWrite = (command: unknown): boolean =>
        command instanceof PutCommand ||
        command instanceof UpdateCommand ||
        command instanceof BatchExecuteStatementCommand;
      let writes = 0;
      const table = Object.assign(Object.create(room.stores.table) as typeof room.stores.table, {
        send: async (command: Parameters<typeof room.stores.table.send>[0]) => {
          const isLast = isWrite(command) && (writes += 1) >= at;
          if (isLast && moment === 'before') throw new Error('died');
          const answer = await room.stores.table.send(command);
          if (isLast) throw new Error('died');
          return answer;
        },
      });
      await recordFacts({ ...room.stores, table }, batch).catch(() => undefined);
      await recordFacts(room.stores, batch);
      await recordFacts(room.stores, batch);
      // A place that the dead run had taken is waited for, and then passed over.
      await readEvents(room.stores, room.ids.tenantId, undefined, 100);
      room.stores.clock.advance(120_000);
    };
    const types = async () => (await events()).map(({ type }) => type);
    const versions = ['a', 'b'].map((body) => ({ type: 'text', text: { body } }));

    it.each(deaths)('comes to the same: $moment write $at, an edit that arrives', async (death) => {
      await record({ id: 'ONE', message: aText('a') });
      const edit = anEdit({ id: 'ONE', fromMe: true }, 'b');

      await recordThrough(aBatch(room.ids, factsOf({ id: 'TWO', message: edit }), 'edit'), death);

      const [row] = await rows();
      expect(await types()).toEqual(['message.received', 'message.edited']);
      expect(row).toMatchObject({ content: { text: { body: 'b' } } });
      expect(await versionsOf(row?.messageId)).toEqual(versions);
    });

    it.each(deaths)('comes to the same: $moment write $at, an edit through the API', async (death) => {
      const original = aSentMessage(room.ids, {
        to: BOB,
        state: 'sent',
        content: { type: 'text', text: { body: 'a' } },
      });
      const edit = { message_id: original.messageId, text: { body: 'b' } };
      const act = aSentMessage(room.ids, { to: BOB, content: { type: 'edit', edit } });
      for (const message of [original, act]) await room.stores.messages.create(message, 0);

      await recordThrough(aBatch(room.ids, [resultOf(act, original)], 'result'), death);

      const [row] = await rows();
      expect(await types()).toEqual(['message.status']);
      expect(row).toMatchObject({ messageId: original.messageId, content: { text: { body: 'b' } } });
      expect(await versionsOf(original.messageId)).toEqual(versions);
      expect(await room.stores.messages.find(room.ids.connectionId, act.messageId)).toMatchObject({ state: 'sent' });
    });
  });
});
