import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import type { MessageFact } from '../../../../shared/event/facts/messageFactSchema.ts';
import type { Message } from '../../../../shared/message/message.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, idOf, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const ACCOUNT = `${ANN}@s.whatsapp.net`;

describe('the state that the devices of the account share', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (kind: AskedAction['kind'], request: object) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask({ kind, request } as unknown as AskedAction, ACCOUNT);
  };
  let texts = 0;
  /** A message of Bob, or one in a group, as it was published. */
  const arrived = async (to = ANN): Promise<MessageFact> => {
    const text = `message number ${(texts += 1)}`;
    await room.client.write(BOB, to, text);
    const found = (): MessageFact | undefined =>
      room.facts.find(
        (fact) => fact.kind === 'message' && fact.content.type === 'text' && fact.content.text.body === text,
      ) as MessageFact | undefined;
    return (await until(text, found, (fact) => fact !== undefined)) as MessageFact;
  };
  const told = (stanzaId: string) =>
    room.facts.flatMap((fact) =>
      fact.kind === 'message_flag' && fact.stanzaId === stanzaId ? [`${fact.flag} ${fact.isSet}`] : [],
    );
  const becomesTold = (stanzaId: string, wanted: readonly string[]) =>
    until(
      wanted.join(),
      () => told(stanzaId),
      (all) => all.length >= wanted.length,
    ).then((all) => expect(all).toEqual(wanted));
  const entriesOf = async (index: string) =>
    (await room.client.appState(ANN)).entries.filter((entry) => (entry.index as readonly string[])[0] === index);
  const versionOf = async (name = 'regular_high') => (await room.client.appState(ANN)).versions[name] ?? 0;
  const noticesAreGone = () =>
    until(
      'an empty queue',
      async () => (await room.client.phones())[0]?.devices[0]?.waiting,
      (waiting) => waiting === 0,
    );
  const starOf = (stanzaId: string, starred = true, chat = BOB_JID) => ({
    index: ['star', chat, stanzaId, '0', '0'],
    value: { starAction: { starred } },
  });
  const phoneStars = (stanzaId: string, starred = true, more: object = {}) =>
    room.client.changeAppState(ANN, { collection: 'regular_high', changes: [starOf(stanzaId, starred)], ...more });

  it('is not written before the phone has given its key', async () => {
    const message = await arrived();

    const outcome = await ask('message_star', { messageId: idOf(message) });

    expect(outcome).toEqual({ outcome: 'refused', error: { code: 'app_state_key_missing' } });
    expect(await versionOf()).toBe(0);
    await room.client.shareAppStateKey(ANN, 1);
    await noticesAreGone();
  });

  it('has stars, which come and go: the phone finds every MAC right, and each is told once', async () => {
    const message = await arrived();
    const messageId = idOf(message);

    const outcome = await ask('message_star', { messageId });
    await ask('message_unstar', { messageId });
    const again = await ask('message_unstar', { messageId });

    expect(outcome).toMatchObject({
      outcome: 'succeeded',
      result: { messageId, starred: true, chat: { phoneNumber: `+${BOB}` } },
    });
    expect(again).toMatchObject({ outcome: 'succeeded', result: { starred: false } });
    expect(await entriesOf('star')).toMatchObject([
      { index: ['star', message.chat, message.stanzaId, '0', '0'], value: { starAction: { starred: false } }, by: 1 },
    ]);
    await becomesTold(message.stanzaId, ['starred true', 'starred false', 'starred false']);
    expect((await room.client.appState(ANN)).failures).toEqual([]);
  });

  it('has stars in groups, with the writer, and on what was sent, without', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'Stars', [ANN]);
    const message = await arrived(group);
    const { stanzaId } = await room.send('one of ours');
    const common = { messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', stanzaId, createdAtMs: Date.now(), to: BOB_JID };
    const sent = { ...common, direction: 'out', state: 'sent' } as unknown as Message;
    room.keptMessages.set(common.messageId, sent);

    await ask('message_star', { messageId: idOf(message) });
    await ask('message_star', { messageId: common.messageId });
    room.keptMessages.set(common.messageId, { ...sent, state: 'queued' } as Message);
    const unsent = await ask('message_star', { messageId: common.messageId });

    const indexes = (await entriesOf('star')).map(({ index }) => index);
    expect(indexes).toContainEqual(['star', group, message.stanzaId, '0', message.sender]);
    expect(indexes).toContainEqual(['star', BOB_JID, stanzaId, '1', '0']);
    expect(unsent).toEqual({ outcome: 'refused', error: { code: 'message_not_sent' } });
    expect(await ask('message_star', { messageId: 'nonsense' })).toEqual({
      outcome: 'refused',
      error: { code: 'message_not_found' },
    });
  });

  it('has messages that the account deleted for itself, and chats that it marked', async () => {
    const message = await arrived();

    const deleted = await ask('message_delete_for_me', { messageId: idOf(message) });
    const unread = await ask('chat_unread', { chat: `+${BOB}` });
    const read = await ask('chat_read', { chat: `+${BOB}` });

    expect(deleted).toMatchObject({ outcome: 'succeeded', result: { deletedForMe: true } });
    expect(unread).toMatchObject({ outcome: 'succeeded', result: { unread: true, chat: { phoneNumber: `+${BOB}` } } });
    expect(read).toMatchObject({ outcome: 'succeeded', result: { unread: false } });
    const [entry] = await entriesOf('deleteMessageForMe');
    expect(entry).toMatchObject({
      index: ['deleteMessageForMe', message.chat, message.stanzaId, '0', '0'],
      value: { deleteMessageForMeAction: { messageTimestamp: message.atMs / 1_000 } },
    });
    const [mark] = await entriesOf('markChatAsRead');
    const key = { id: message.stanzaId, remoteJid: message.chat, fromMe: false };
    expect(mark).toMatchObject({
      value: {
        markChatAsReadAction: {
          read: true,
          messageRange: { messages: [{ key }], lastMessageTimestamp: message.atMs / 1_000 },
        },
      },
    });
    await becomesTold(message.stanzaId, ['deleted_for_me true']);
    const marks = room.facts.flatMap((fact) => (fact.kind === 'chat_mark' ? [fact.unread] : []));
    expect(marks).toEqual([true, false]);
    expect((await room.client.appState(ANN)).failures).toEqual([]);
  });

  it('changes on the phone: stars, deletions, marks, in a patch and in a blob beside it', async () => {
    const chat = `${BOB}@s.whatsapp.net`;
    await phoneStars('BYPHONE1');
    await phoneStars('BYPHONE1', false, { external: true });
    await room.client.changeAppState(ANN, {
      collection: 'regular_high',
      changes: [{ index: ['star', chat, 'BYPHONE1', '0', '0'], operation: 'remove' }],
    });
    await room.client.changeAppState(ANN, {
      collection: 'regular_high',
      changes: [{ index: ['deleteMessageForMe', chat, 'BYPHONE1', '1', '0'], value: { deleteMessageForMeAction: {} } }],
    });
    await room.client.changeAppState(ANN, {
      collection: 'regular_low',
      changes: [{ index: ['markChatAsRead', chat], value: { markChatAsReadAction: { read: false } } }],
    });

    await becomesTold('BYPHONE1', ['starred true', 'starred false', 'starred false', 'deleted_for_me true']);
    const mark = await until(
      'the mark',
      () => room.facts.findLast((fact) => fact.kind === 'chat_mark'),
      (fact) => fact?.kind === 'chat_mark' && fact.unread === true,
    );
    expect(mark).toMatchObject({ chat, unread: true });
    await noticesAreGone();
  });

  it('has changes without a meaning here, and such that say nothing: they are counted, and what is behind them is told', async () => {
    const huge = 'x'.repeat(300);
    await room.client.changeAppState(ANN, {
      collection: 'regular_high',
      changes: [
        { index: ['quick_reply', '1'], value: { quickReplyAction: { shortcut: 'hi' } } },
        { index: ['__proto__', 'constructor'] },
        { index: 'no list at all' },
        { index: ['star'] },
        { index: ['star', 'nobody', 'ID', '0', '0'], value: { starAction: { starred: true } } },
        { index: ['star', BOB_JID, huge, '0', '0'], value: { starAction: { starred: true } } },
        { index: ['star', BOB_JID, 'ID', 'yes', '0'], value: { starAction: { starred: true } } },
        starOf('BEHIND'),
      ],
    });

    await becomesTold('BEHIND', ['starred true']);
    expect(room.metrics.totalOf('AppStateChangesIgnored', { because: 'unknown' })).toBe(2);
    expect(room.metrics.totalOf('AppStateChangesIgnored', { because: 'malformed' })).toBe(5);
    expect(room.metrics.totalOf('AppStateFailed', { end: 'damaged' })).toBe(0);
  });

  it('is written on top of what another device wrote at the same moment', async () => {
    const message = await arrived();
    const before = await versionOf();
    await room.client.fault({ kind: 'app_state_race', number: ANN, times: 2 });

    const outcome = await ask('message_star', { messageId: idOf(message) });

    expect(outcome).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOf()).toBe(before + 3);
    expect((await room.client.appState(ANN)).failures).toEqual([]);
    await becomesTold(message.stanzaId, ['starred true']);
  });

  it('is unanswered where another device is faster each time, and asked again later', async () => {
    const message = await arrived();
    await room.client.fault({ kind: 'app_state_race', number: ANN });

    expect(await ask('message_star', { messageId: idOf(message) })).toEqual({ outcome: 'unanswered' });
    expect(told(message.stanzaId)).toEqual([]);
  });

  it.each([
    [400, { outcome: 'refused', error: { code: 'refused', whatsappCode: 400 } }],
    [429, { outcome: 'limited', whatsappCode: 429 }],
    [503, { outcome: 'unanswered', whatsappCode: 503 }],
  ])('is refused at the collection with %i, which is no success', async (code, expected) => {
    const message = await arrived();
    await room.client.fault({ kind: 'app_state_error', number: ANN, code });

    expect(await ask('message_star', { messageId: idOf(message) })).toEqual(expected);
    expect(told(message.stanzaId)).toEqual([]);
  });

  it('is unanswered where the socket closes meanwhile, and written on the next one', async () => {
    const message = await arrived();
    const before = await versionOf();
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'w:sync:app:state' });

    const asking = ask('message_star', { messageId: idOf(message) });
    await room.client.strike({ kind: 'close', number: ANN });

    expect(await asking).toEqual({ outcome: 'unanswered' });
    await room.input('socket_closed');
    await room.client.clearFaults();
    await room.login();
    expect(await ask('message_star', { messageId: idOf(message) })).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOf()).toBe(before + 1);
  });

  it('is written once where the answer was lost: the change is found there', async () => {
    const message = await arrived();
    const before = await versionOf();
    const messageId = idOf(message);
    // The patch is stored, and its answer never read: the facts cannot be published, as when the process dies.
    room.publish = async (facts) => {
      if (facts.some(({ kind }) => kind === 'message_flag')) throw new Error('the queue is away');
    };
    expect(await ask('message_star', { messageId })).toEqual({ outcome: 'unanswered' });
    room.publish = async () => undefined;
    await room.socket?.close('end');
    await room.login();

    const outcome = await ask('message_star', { messageId });

    expect(outcome).toMatchObject({ outcome: 'succeeded', result: { starred: true } });
    expect(await versionOf()).toBe(before + 1);
    await becomesTold(message.stanzaId, ['starred true']);
  });

  it('that changed while nobody was there is told after the login, and its notices are answered then', async () => {
    await room.socket?.close('end');
    for (let at = 0; at < 25; at += 1) await phoneStars(`AWAY${at}`);

    await room.login();

    await becomesTold('AWAY24', ['starred true']);
    await becomesTold('AWAY0', ['starred true']);
    await noticesAreGone();
  });

  it('is told again after a death between the telling and the note of it', async () => {
    await phoneStars('TWICE');
    await becomesTold('TWICE', ['starred true']);
    const first = room.facts.findLast((fact) => fact.kind === 'message_flag');
    await noticesAreGone();
    // A new owner who finds an older version in the store.
    const session = await room.session();
    const { regular_high: now } = (await session.getKeys('app-state-sync-version', ['regular_high'])) as {
      regular_high: { version: number };
    };
    await room.socket?.close('end');
    await session.setKeys({ 'app-state-sync-version': { regular_high: null } });
    await session.flush();
    await phoneStars('AFTERWARDS');
    await room.login();

    await becomesTold('AFTERWARDS', ['starred true']);
    const second = room.facts.filter((fact) => fact.kind === 'message_flag' && fact.stanzaId === 'TWICE');
    expect(second.map(({ key }) => key)).toEqual(second.map(() => first?.key));
    expect(now.version).toBeGreaterThan(0);
  });
});
