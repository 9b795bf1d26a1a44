import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import type { MessageFact } from '../../../../shared/event/facts/messageFactSchema.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, idOf, SocketRoom } from '../socketRoom.ts';

silenceConsole();

describe('labels of a business', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    await room.client.shareAppStateKey(ANN, 1);
    await allIsAnswered();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const allIsAnswered = () =>
    until(
      'an empty queue',
      async () => (await room.client.phones())[0]?.devices[0]?.waiting,
      (waiting) => waiting === 0,
    );
  const ask = (kind: AskedAction['kind'], request: object = {}) =>
    room.socket?.ask({ kind, request } as unknown as AskedAction, `${ANN}@s.whatsapp.net`);
  const create = (name: string) => ask('label_create', { name, color: 3 });
  const list = async () => (await ask('label_list')) as unknown as { readonly result: { readonly labels: unknown } };
  const entryOf = async (...index: readonly string[]) => {
    const { entries, failures } = await room.client.appState(ANN);
    expect(failures).toEqual([]);
    return entries.findLast((entry) => JSON.stringify(entry.index) === JSON.stringify(index));
  };
  const told = () => room.facts.filter(({ kind }) => kind === 'label_change' || kind === 'label_assign');
  const phoneEdits = (id: string, action: object) =>
    room.client.changeAppState(ANN, {
      collection: 'regular',
      changes: [{ index: ['label_edit', id], value: { labelEditAction: action } }],
    });

  it('are listed with those that the phone has made, get the next number, and are made once under a name', async () => {
    await phoneEdits('5', { name: 'New customer', color: 0, predefinedId: 1 });

    const made = await create('To be paid');
    const again = await create('To be paid');

    const label = { id: '6', name: 'To be paid', color: 3 };
    expect(made).toEqual({ outcome: 'succeeded', result: { label, created: true } });
    expect(again).toEqual({ outcome: 'succeeded', result: { label, created: false } });
    expect((await list()).result).toEqual({
      labels: [{ id: '5', name: 'New customer', color: 0 }, label],
      complete: true,
    });
    expect(await entryOf('label_edit', '6')).toMatchObject({
      value: { labelEditAction: { name: 'To be paid', color: 3, deleted: false } },
      by: 1,
    });
    expect(told()).toMatchObject([{ labelId: '5' }, { labelId: '6', name: 'To be paid', color: 3, isDeleted: false }]);
  });

  it('are renamed and coloured, and keep what else the phone has written of them', async () => {
    expect(await ask('label_change', { label: '5', name: 'Regular customer' })).toEqual({
      outcome: 'succeeded',
      result: { label: { id: '5', name: 'Regular customer', color: 0 } },
    });
    await ask('label_change', { label: '5', color: 7 });

    expect(await entryOf('label_edit', '5')).toMatchObject({
      value: { labelEditAction: { name: 'Regular customer', color: 7, predefinedId: 1 } },
      by: 1,
    });
  });

  it('are put on chats and messages and taken away again, and shown with what they are on', async () => {
    await room.client.write(BOB, ANN, 'an order');
    await until(
      'the message',
      () => room.texts(),
      (texts) => texts.includes('an order'),
    );
    const message = room.facts.findLast((fact) => fact.kind === 'message') as MessageFact;
    const onChat = { label: '6', chat: `+${BOB}` };
    const onMessage = { label: '6', messageId: idOf(message) };

    const chat = await ask('label_chat_add', onChat);
    const marked = await ask('label_message_add', onMessage);
    const found = await ask('label_find', { label: '6' });
    await ask('label_chat_remove', onChat);
    await ask('label_message_remove', onMessage);

    expect(chat).toMatchObject({ outcome: 'succeeded', result: { chat: { phoneNumber: `+${BOB}` }, assigned: true } });
    expect(marked).toMatchObject({ outcome: 'succeeded', result: { messageId: idOf(message), assigned: true } });
    expect(found).toMatchObject({
      result: {
        label: { id: '6' },
        chats: [{ phoneNumber: `+${BOB}` }],
        messages: [{ stanzaId: message.stanzaId }],
        complete: true,
      },
    });
    expect(await entryOf('label_jid', '6', BOB_JID)).toMatchObject({
      value: { labelAssociationAction: { labeled: false } },
    });
    expect(await entryOf('label_message', '6', BOB_JID, message.stanzaId, '0', '0')).toMatchObject({
      value: { labelAssociationAction: { labeled: false } },
    });
    expect(await ask('label_find', { label: '6' })).toMatchObject({ result: { chats: [], messages: [] } });
    expect(told().slice(-4)).toMatchObject([
      { chat: BOB_JID, isSet: true },
      { stanzaId: message.stanzaId, isSet: true },
      { chat: BOB_JID, isSet: false },
      { stanzaId: message.stanzaId, isSet: false },
    ]);
  });

  it('are no others than there are', async () => {
    const missing = { outcome: 'refused', error: { code: 'label_not_found' } };

    expect(await ask('label_find', { label: '99' })).toEqual(missing);
    expect(await ask('label_change', { label: '99', name: 'x' })).toEqual(missing);
    expect(await ask('label_chat_add', { label: '99', chat: BOB_JID })).toEqual(missing);
    expect(await ask('label_delete', { label: '99' })).toEqual(missing);
  });

  it('are made also where another device writes something else at the same moment', async () => {
    await room.client.fault({ kind: 'app_state_race', number: ANN, times: 1 });

    expect(await create('Raced')).toMatchObject({ result: { label: { id: '7' }, created: true } });
    expect(await entryOf('label_edit', '7')).toMatchObject({ by: 1 });
  });

  it('are deleted, and their numbers are not given again', async () => {
    expect(await ask('label_delete', { label: '7' })).toMatchObject({
      outcome: 'succeeded',
      result: { label: { id: '7', name: 'Raced' }, deleted: true },
    });
    expect(told().at(-1)).toMatchObject({ labelId: '7', isDeleted: true });

    expect(await create('The next')).toMatchObject({ result: { label: { id: '8' } } });
  });

  it('never share a number: of two that are made at once, the second is tried again, and gets the next', async () => {
    const both = await Promise.all([create('One'), create('Other')]);
    const again = await create('Other');

    expect(both).toEqual([
      { outcome: 'succeeded', result: { label: { id: '9', name: 'One', color: 3 }, created: true } },
      { outcome: 'unanswered' },
    ]);
    expect(again).toMatchObject({ result: { label: { id: '10', name: 'Other' }, created: true } });
  });

  it('are twenty at most, as the phone shows no more', async () => {
    await room.client.changeAppState(ANN, {
      collection: 'regular',
      changes: Array.from({ length: 20 }, (_, at) => ({
        index: ['label_edit', String(20 + at)],
        value: { labelEditAction: { name: `Number ${at}` } },
      })),
    });

    expect(await create('One too many')).toEqual({ outcome: 'refused', error: { code: 'too_many_labels' } });
  });
});
