import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const ANN_JID = `${ANN}@s.whatsapp.net`;
const WAIT_MS = 60_000;

type Json = Readonly<Record<string, unknown>>;

/** What is asked for, which record of the phone then says what, and the event of it. */
type Case = readonly [
  request: readonly [method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: Json],
  record: readonly string[],
  value: Json,
  event: readonly [type: string, data: Json],
];

const chats = `chats/${encodeURIComponent(`+${ANN}`)}`;
const contact = `contacts/${encodeURIComponent(`+${ANN}`)}`;
const cases: readonly Case[] = [
  [['POST', `${chats}/pin`], ['pin_v1', ANN_JID], { pinAction: { pinned: true } }, ['chat.updated', { pinned: true }]],
  [
    ['POST', `${chats}/unpin`],
    ['pin_v1', ANN_JID],
    { pinAction: { pinned: false } },
    ['chat.updated', { pinned: false }],
  ],
  [
    ['POST', `${chats}/archive`],
    ['archive', ANN_JID],
    { archiveChatAction: { archived: true } },
    ['chat.updated', { archived: true }],
  ],
  [
    ['POST', `${chats}/unarchive`],
    ['archive', ANN_JID],
    { archiveChatAction: { archived: false } },
    ['chat.updated', { archived: false }],
  ],
  [
    ['POST', `${chats}/mute`, { until: '2040-01-02T03:04:05Z' }],
    ['mute', ANN_JID],
    { muteAction: { muted: true } },
    ['chat.updated', { muted: true, mutedUntil: '2040-01-02T03:04:05.000Z' }],
  ],
  [
    ['POST', `${chats}/unmute`],
    ['mute', ANN_JID],
    { muteAction: { muted: false } },
    ['chat.updated', { muted: false }],
  ],
  [
    ['POST', `${chats}/clear`, { keepStarred: true }],
    ['clearChat', ANN_JID, '0', '0'],
    { clearChatAction: {} },
    ['chat.cleared', { keptStarred: true }],
  ],
  [['POST', `${chats}/delete`], ['deleteChat', ANN_JID, '1'], { deleteChatAction: {} }, ['chat.deleted', {}]],
  [
    ['PUT', contact, { fullName: 'Ann of the shop', firstName: 'Ann' }],
    ['contact', ANN_JID],
    { contactAction: { fullName: 'Ann of the shop' } },
    ['contact.updated', { names: { saved: 'Ann of the shop' } }],
  ],
  [
    ['POST', 'labels', { name: 'To be paid', color: 3 }],
    ['label_edit', '1'],
    { labelEditAction: { name: 'To be paid', color: 3 } },
    ['label.updated', { label: { id: '1', name: 'To be paid', color: 3 }, deleted: false }],
  ],
  [
    ['PATCH', 'labels/1', { name: 'Paid' }],
    ['label_edit', '1'],
    { labelEditAction: { name: 'Paid', color: 3 } },
    ['label.updated', { label: { id: '1', name: 'Paid', color: 3 }, deleted: false }],
  ],
  [
    ['PUT', `labels/1/${chats}`],
    ['label_jid', '1', ANN_JID],
    { labelAssociationAction: { labeled: true } },
    ['label.assigned', { labelId: '1', assigned: true }],
  ],
  [
    ['DELETE', `labels/1/${chats}`],
    ['label_jid', '1', ANN_JID],
    { labelAssociationAction: { labeled: false } },
    ['label.assigned', { labelId: '1', assigned: false }],
  ],
  [
    ['DELETE', 'labels/1'],
    ['label_edit', '1'],
    { labelEditAction: { deleted: true } },
    ['label.updated', { deleted: true }],
  ],
];

/** What an account does to its chats, through every process of the embedded stack, and what its phone does, back again. */
describe('chats, labels and the address book', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN);
    await stage.phones.shareAppStateKey(SHOP, 1);
    await stage.phones.write(ANN, SHOP, 'the first');
    await toldSince(0, 'message.received', {});
    await until(
      'the key',
      () => ask('POST', `${chats}/unread`),
      ({ state }) => state === 'succeeded',
      WAIT_MS,
    );
  });
  afterAll(() => stage.stop());

  const ask = (method: string, path: string, body?: Json): Promise<Json> =>
    stage.api.must(method, `/v1/connections/${stage.connection}/${path}`, body ?? (method === 'GET' ? undefined : {}));
  /** The first event of a type that says something, behind so many. */
  const toldSince = async (from: number, type: string, data: Json) => {
    const found = () =>
      stage.receiver.events.slice(from).filter((event) => {
        if (event.type !== type) return false;
        return Object.entries(data).every(
          ([name, value]) => JSON.stringify(event.data[name]) === JSON.stringify(value),
        );
      });
    return until(`${type} ${JSON.stringify(data)}`, found, (all) => all.length > 0, WAIT_MS);
  };

  it.each(cases)('%j: the phone has it, and it is told once', async (request, record, value, [type, data]) => {
    const before = stage.receiver.events.length;

    expect(await ask(...request)).toMatchObject({ state: 'succeeded' });

    const { entries, failures } = await stage.phones.appState(SHOP);
    expect(failures).toEqual([]);
    const entry = entries.findLast(({ index }) => JSON.stringify(index) === JSON.stringify(record));
    expect(entry).toMatchObject({ value, by: 1 });
    expect(await toldSince(before, type, data)).toHaveLength(1);
  });

  it('shows the name of a person who is saved, until they are taken out', async () => {
    const named = (saved: unknown) =>
      until(
        'the name',
        () => ask('GET', contact),
        ({ names }) => (names as Json)['saved'] === saved,
        WAIT_MS,
      );
    await named('Ann of the shop');
    const before = stage.receiver.events.length;

    await ask('DELETE', contact);

    await toldSince(before, 'contact.updated', { names: { saved: null } });
    await named(undefined);
  });

  it('keeps the messages of a chat that was cleared and deleted', async () => {
    const { data } = await ask('GET', 'messages');

    expect(data).toMatchObject([{ content: { text: { body: 'the first' } } }]);
  });

  it('shows its marks in the list of chats, whoever made them', async () => {
    await stage.phones.write(ANN, SHOP, 'the chat is there again');
    const becomes = (marks: Json) =>
      until(
        JSON.stringify(marks),
        () => stage.api.call('GET', `/v1/connections/${stage.connection}/${chats}`),
        ({ json }) => Object.entries(marks).every(([name, value]) => json[name] === value),
        WAIT_MS,
      );
    await becomes({ archived: false, muted: false });

    await ask('POST', `${chats}/archive`);
    await stage.phones.changeAppState(SHOP, {
      collection: 'regular_high',
      changes: [{ index: ['mute', ANN_JID], value: { muteAction: { muted: true } } }],
    });

    await becomes({ archived: true, muted: true });
    await ask('POST', `${chats}/unarchive`);
    await ask('POST', `${chats}/unmute`);
    await becomes({ archived: false, muted: false });
  });

  it.each<[collection: string, index: readonly string[], value: Json, type: string, data: Json]>([
    ['regular_low', ['pin_v1', ANN_JID], { pinAction: { pinned: true } }, 'chat.updated', { pinned: true }],
    [
      'regular_low',
      ['archive', ANN_JID],
      { archiveChatAction: { archived: true } },
      'chat.updated',
      { archived: true },
    ],
    ['regular_high', ['mute', ANN_JID], { muteAction: { muted: true } }, 'chat.updated', { muted: true }],
    ['regular_high', ['clearChat', ANN_JID, '1', '1'], { clearChatAction: {} }, 'chat.cleared', { keptStarred: false }],
    ['regular_high', ['deleteChat', ANN_JID, '1'], { deleteChatAction: {} }, 'chat.deleted', {}],
    ['regular', ['label_edit', '9'], { labelEditAction: { name: 'By phone' } }, 'label.updated', { deleted: false }],
    [
      'regular',
      ['label_jid', '9', ANN_JID],
      { labelAssociationAction: { labeled: true } },
      'label.assigned',
      { labelId: '9' },
    ],
  ])('tells what the phone writes: %s %j', async (collection, index, value, type, data) => {
    const before = stage.receiver.events.length;

    await stage.phones.changeAppState(SHOP, { collection, changes: [{ index: [...index], value: { ...value } }] });

    await toldSince(before, type, data);
  });
});
