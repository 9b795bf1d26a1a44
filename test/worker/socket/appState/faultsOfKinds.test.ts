import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const chat = `+${BOB}`;

/** Every action that changes a whole chat, the address book or labels, with the collection that it writes. */
const actions: readonly (readonly [kind: AskedAction['kind'], request: object, collection: string])[] = [
  ['chat_read', { chat }, 'regular_low'],
  ['chat_unread', { chat }, 'regular_low'],
  ['chat_archive', { chat }, 'regular_low'],
  ['chat_unarchive', { chat }, 'regular_low'],
  ['chat_pin', { chat }, 'regular_low'],
  ['chat_unpin', { chat }, 'regular_low'],
  ['chat_mute', { chat }, 'regular_high'],
  ['chat_unmute', { chat }, 'regular_high'],
  ['chat_clear', { chat, keepStarred: true }, 'regular_high'],
  ['chat_delete', { chat }, 'regular_high'],
  ['address_book_save', { contact: chat, fullName: 'Bob', saveOnPhone: true }, 'critical_unblock_low'],
  ['address_book_remove', { contact: chat }, 'critical_unblock_low'],
  ['label_create', { name: 'New', color: 1 }, 'regular'],
  ['label_change', { label: '5', name: 'Other' }, 'regular'],
  ['label_chat_add', { label: '5', chat }, 'regular'],
  ['label_chat_remove', { label: '5', chat }, 'regular'],
  ['label_delete', { label: '5' }, 'regular'],
];
/** What is looked for first is not there, where nothing can be read. */
const needsWhatIsThere = new Set([
  'address_book_remove',
  'label_change',
  'label_chat_add',
  'label_chat_remove',
  'label_delete',
]);

describe('each change of app state, where something is wrong', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (kind: AskedAction['kind'], request: object) =>
    room.socket?.ask({ kind, request } as unknown as AskedAction, `${ANN}@s.whatsapp.net`);
  const versionOf = async (collection: string) => (await room.client.appState(ANN)).versions[collection] ?? 0;
  const failures = async () => (await room.client.appState(ANN)).failures;
  const allIsAnswered = () =>
    until(
      'an empty queue',
      async () => (await room.client.phones())[0]?.devices[0]?.waiting,
      (waiting) => waiting === 0,
    );
  /** The phone writes what the actions are about. */
  const phoneWrites = async () => {
    await room.client.changeAppState(ANN, {
      collection: 'regular',
      changes: [{ index: ['label_edit', '5'], value: { labelEditAction: { name: 'Five' } } }],
    });
    await room.client.changeAppState(ANN, {
      collection: 'critical_unblock_low',
      changes: [{ index: ['contact', BOB_JID], value: { contactAction: { fullName: 'Bobby' } } }],
    });
  };

  it.each(actions.filter(([kind]) => !needsWhatIsThere.has(kind)))(
    '%s ends as app_state_key_missing before the phone has given a key, and nothing is written',
    async (kind, request, collection) => {
      expect(await ask(kind, request)).toEqual({ outcome: 'refused', error: { code: 'app_state_key_missing' } });
      expect(await versionOf(collection)).toBe(0);
    },
  );

  it('is given the key, and what the actions are about', async () => {
    await room.client.shareAppStateKey(ANN, 1);
    await phoneWrites();
    await allIsAnswered();

    expect(await versionOf('regular')).toBe(1);
  });

  it.each(actions)('%s is written on top of what another device writes at the same moment', async (...one) => {
    const [kind, request, collection] = one;
    await phoneWrites();
    await allIsAnswered();
    const before = await versionOf(collection);
    await room.client.fault({ kind: 'app_state_race', number: ANN, times: 1 });

    expect(await ask(kind, request)).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOf(collection)).toBe(before + 2);
    expect(await failures()).toEqual([]);
  });

  it.each(actions)(
    '%s is written after a patch of the phone that came with a wrong MAC: all is fetched',
    async (...one) => {
      const [kind, request, collection] = one;
      await room.client.fault({ kind: 'app_state_spoil', number: ANN, part: 'patch_mac', times: 1 });
      await phoneWrites();
      const before = await versionOf(collection);

      const made = kind === 'label_create' ? { ...request, name: 'Newer' } : request;
      expect(await ask(kind, made)).toMatchObject({ outcome: 'succeeded' });
      expect(await versionOf(collection)).toBe(before + 1);
      expect(await failures()).toEqual([]);
    },
  );

  it.each(actions)('%s is refused with the number of WhatsApp, and told nobody', async (kind, request, collection) => {
    await phoneWrites();
    await allIsAnswered();
    const [before, told] = [await versionOf(collection), room.facts.length];
    await room.client.fault({ kind: 'app_state_error', number: ANN, code: 400 });

    const made = kind === 'label_create' ? { ...request, name: 'Newest' } : request;
    expect(await ask(kind, made)).toEqual({ outcome: 'refused', error: { code: 'refused', whatsappCode: 400 } });
    expect([await versionOf(collection), room.facts.length]).toEqual([before, told]);
  });
});
