import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import { FOR_EVER } from '../../../../shared/message/chatMarks.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const LATER = '2040-01-02T03:04:05.000Z';
const LATER_MS = Date.parse(LATER);

/** What is asked for, what the phone then has, and what is answered and told. */
interface Case {
  readonly kind: AskedAction['kind'];
  readonly more?: object;
  readonly index: readonly string[];
  readonly value: object;
  readonly result: object;
  readonly told: object;
}

const cases: readonly Case[] = [
  {
    kind: 'chat_archive',
    index: ['archive', BOB_JID],
    value: { archiveChatAction: { archived: true } },
    result: { archived: true },
    told: { archived: true },
  },
  {
    kind: 'chat_unarchive',
    index: ['archive', BOB_JID],
    value: { archiveChatAction: { archived: false } },
    result: { archived: false },
    told: { archived: false },
  },
  {
    kind: 'chat_pin',
    index: ['pin_v1', BOB_JID],
    value: { pinAction: { pinned: true } },
    result: { pinned: true },
    told: { pinned: true },
  },
  {
    kind: 'chat_unpin',
    index: ['pin_v1', BOB_JID],
    value: { pinAction: { pinned: false } },
    result: { pinned: false },
    told: { pinned: false },
  },
  {
    kind: 'chat_mute',
    index: ['mute', BOB_JID],
    value: { muteAction: { muted: true, muteEndTimestamp: -1 } },
    result: { muted: true },
    told: { mutedUntilMs: FOR_EVER },
  },
  {
    kind: 'chat_mute',
    more: { until: LATER },
    index: ['mute', BOB_JID],
    value: { muteAction: { muted: true, muteEndTimestamp: LATER_MS } },
    result: { muted: true, mutedUntil: LATER },
    told: { mutedUntilMs: LATER_MS },
  },
  {
    kind: 'chat_mute',
    more: { until: '2020-01-01T00:00:00Z' },
    index: ['mute', BOB_JID],
    value: { muteAction: { muted: false } },
    result: { muted: false },
    told: { mutedUntilMs: 0 },
  },
  {
    kind: 'chat_unmute',
    index: ['mute', BOB_JID],
    value: { muteAction: { muted: false } },
    result: { muted: false },
    told: { mutedUntilMs: 0 },
  },
  {
    kind: 'chat_clear',
    more: { keepStarred: false },
    index: ['clearChat', BOB_JID, '1', '0'],
    value: { clearChatAction: { messageRange: {} } },
    result: { cleared: true, keptStarred: false },
    told: { how: 'cleared', keptStarred: false },
  },
  {
    kind: 'chat_clear',
    more: { keepStarred: true },
    index: ['clearChat', BOB_JID, '0', '0'],
    value: { clearChatAction: { messageRange: {} } },
    result: { cleared: true, keptStarred: true },
    told: { how: 'cleared', keptStarred: true },
  },
  {
    kind: 'chat_delete',
    index: ['deleteChat', BOB_JID, '1'],
    value: { deleteChatAction: { messageRange: {} } },
    result: { deleted: true },
    told: { how: 'deleted' },
  },
];

describe('what the account does to its chats', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    await room.client.shareAppStateKey(ANN, 1);
    await until(
      'an empty queue',
      async () => (await room.client.phones())[0]?.devices[0]?.waiting,
      (waiting) => waiting === 0,
    );
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (kind: AskedAction['kind'], request: object) =>
    room.socket?.ask({ kind, request } as unknown as AskedAction, `${ANN}@s.whatsapp.net`);
  const entryOf = async (index: readonly string[]) => {
    const { entries, failures } = await room.client.appState(ANN);
    expect(failures).toEqual([]);
    return entries.findLast((entry) => JSON.stringify(entry.index) === JSON.stringify(index));
  };
  const told = () => room.facts.filter(({ kind }) => kind === 'chat_mark' || kind === 'chat_emptied');

  it.each(cases)('$kind $more: the phone has it, and it is told once', async (one) => {
    const { kind, more, index, value, result } = one;
    const before = told().length;

    const outcome = await ask(kind, { chat: `+${BOB}`, ...more });

    expect(outcome).toMatchObject({
      outcome: 'succeeded',
      result: { ...result, chat: { phoneNumber: `+${BOB}` } },
    });
    expect(await entryOf(index)).toMatchObject({ value, by: 1, operation: 'set' });
    expect(told().slice(before)).toMatchObject([{ chat: BOB_JID, ...one.told }]);
  });

  it('archives what is pinned in one patch that also takes the pin down', async () => {
    await ask('chat_pin', { chat: `+${BOB}` });
    const { versions } = await room.client.appState(ANN);
    const before = told().length;

    await ask('chat_archive', { chat: `+${BOB}` });

    expect(await entryOf(['pin_v1', BOB_JID])).toMatchObject({ value: { pinAction: { pinned: false } }, by: 1 });
    const after = (await room.client.appState(ANN)).versions;
    expect(after['regular_low']).toBe((versions['regular_low'] ?? 0) + 1);
    expect(told().slice(before)).toMatchObject([{ archived: true }, { pinned: false }]);
  });

  it('names the newest message up to which it holds, and the present moment where none is known', async () => {
    await room.client.write(BOB, ANN, 'the newest');
    await until(
      'the message',
      () => room.texts(),
      (texts) => texts.includes('the newest'),
    );
    const { stanzaId } = room.facts.findLast((fact) => fact.kind === 'message') as { readonly stanzaId: string };
    const { id: group } = await room.client.addGroup(BOB, 'Nobody wrote', [ANN]);
    const beganAt = Math.floor(Date.now() / 1_000);

    await ask('chat_archive', { chat: BOB_JID });
    await ask('chat_archive', { chat: group });

    expect(await entryOf(['archive', BOB_JID])).toMatchObject({
      value: { archiveChatAction: { messageRange: { messages: [{ key: { id: stanzaId, remoteJid: BOB_JID } }] } } },
    });
    const silent = (await entryOf(['archive', group]))?.value as {
      readonly archiveChatAction: { readonly messageRange: { readonly lastMessageTimestamp: number } };
    };
    expect(silent.archiveChatAction.messageRange.lastMessageTimestamp).toBeGreaterThanOrEqual(beganAt);
  });

  it.each<[string, string, readonly string[], object, object]>([
    ['set', 'regular_low', ['archive', BOB_JID], { archiveChatAction: { archived: true } }, { archived: true }],
    ['remove', 'regular_low', ['archive', BOB_JID], {}, { archived: false }],
    ['set', 'regular_low', ['pin_v1', BOB_JID], { pinAction: { pinned: true } }, { pinned: true }],
    ['remove', 'regular_low', ['pin_v1', BOB_JID], {}, { pinned: false }],
    ['set', 'regular_high', ['mute', BOB_JID], { muteAction: { muted: true } }, { mutedUntilMs: FOR_EVER }],
    ['remove', 'regular_high', ['mute', BOB_JID], {}, { mutedUntilMs: 0 }],
    ['set', 'regular_high', ['clearChat', BOB_JID, '0', '1'], { clearChatAction: {} }, { keptStarred: true }],
    ['set', 'regular_high', ['deleteChat', BOB_JID, '0'], { deleteChatAction: {} }, { how: 'deleted' }],
  ])('tells what the phone does: %s in %s of %j', async (operation, collection, index, value, expected) => {
    const before = told().length;

    await room.client.changeAppState(ANN, {
      collection,
      changes: [{ index: [...index], value: { ...value }, operation: operation === 'set' ? 'set' : 'remove' }],
    });

    await until(
      'the mark',
      () => told().slice(before),
      (found) => found.length > 0,
    );
    expect(told().slice(before)).toMatchObject([{ chat: BOB_JID, ...expected }]);
  });
});
