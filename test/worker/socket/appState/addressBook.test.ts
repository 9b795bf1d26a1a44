import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const COLLECTION = 'critical_unblock_low';

describe('the address book of the account', () => {
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
  const ask = (kind: AskedAction['kind'], request: object) =>
    room.socket?.ask({ kind, request } as unknown as AskedAction, `${ANN}@s.whatsapp.net`);
  const save = (fullName: string) =>
    ask('address_book_save', { contact: `+${BOB}`, fullName, firstName: 'Bob', saveOnPhone: true });
  const remove = () => ask('address_book_remove', { contact: `+${BOB}` });
  const entries = async () => {
    const { entries: all, failures } = await room.client.appState(ANN);
    expect(failures).toEqual([]);
    return all.filter(({ collection }) => collection === COLLECTION);
  };
  const versionOf = async () => (await room.client.appState(ANN)).versions[COLLECTION] ?? 0;
  const told = () => room.facts.flatMap((fact) => (fact.kind === 'contact_change' ? [fact.saved] : []));

  it('has a person under a name, on the phone too, who can be taken out again', async () => {
    const before = told().length;

    const saved = await save('Bob the builder');
    const there = await entries();
    const removed = await remove();

    expect(saved).toMatchObject({
      outcome: 'succeeded',
      result: { contact: { phoneNumber: `+${BOB}` }, names: { saved: 'Bob the builder' } },
    });
    expect(there).toMatchObject([
      {
        index: ['contact', BOB_JID],
        value: { contactAction: { fullName: 'Bob the builder', firstName: 'Bob', saveOnPrimaryAddressbook: true } },
        operation: 'set',
        by: 1,
      },
    ]);
    expect(removed).toMatchObject({ outcome: 'succeeded', result: { names: { saved: null } } });
    expect(await entries()).toMatchObject([{ index: ['contact', BOB_JID], operation: 'remove', by: 1 }]);
    expect(told().slice(before)).toEqual(['Bob the builder', '']);
  });

  it('writes nothing where somebody is to be taken out who is not in it', async () => {
    const before = await versionOf();

    expect(await remove()).toMatchObject({ outcome: 'succeeded', result: { names: { saved: null } } });
    expect(await versionOf()).toBe(before);
  });

  it('takes a person out whom the phone has saved under an older key', async () => {
    await room.client.changeAppState(ANN, {
      collection: COLLECTION,
      changes: [{ index: ['contact', BOB_JID], value: { contactAction: { fullName: 'From long ago' } } }],
    });
    await allIsAnswered();
    // A new key: everything is sealed with it from now on, and what is there is found by the old one alone.
    const { keyId } = await room.client.shareAppStateKey(ANN, 1);
    const session = await room.session();
    await until(
      'the new key',
      () => session.getKeys('app-state-sync-key', [keyId]),
      (keys) => keys[keyId] !== undefined,
    );

    const removed = await remove();

    expect(removed).toMatchObject({ outcome: 'succeeded' });
    expect((await entries()).at(-1)).toMatchObject({ index: ['contact', BOB_JID], operation: 'remove', by: 1 });
    expect(told().at(-1)).toBe('');
  });

  it('is written once where another device takes the person out at the same moment', async () => {
    await save('Bob');
    const before = await versionOf();
    await room.client.fault({ kind: 'app_state_race', number: ANN, times: 1 });

    expect(await remove()).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOf()).toBe(before + 2);
    expect(await remove()).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOf()).toBe(before + 2);
  });

  it('has nobody in it whom WhatsApp does not know', async () => {
    expect(
      await ask('address_book_save', { contact: '+4915100009999', fullName: 'Nobody', saveOnPhone: true }),
    ).toEqual({
      outcome: 'refused',
      error: { code: 'recipient_has_no_account' },
    });
  });
});
