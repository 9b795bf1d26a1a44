import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import { until } from '../../../whatsapp/until.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { jidOf } from '../../../whatsapp/world.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();

const EVE = '554788211984';
/** The same account, written with the digit that its country has added since. */
const EVE_AS_TYPED = '+55 47 98821-1984';
const NOBODY = '+4915199999999';

describe('actions on a real socket', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    room.settings = { presence: 'available' };
    await room.client.addPhone(EVE, 'Eve');
    await room.pairByQr();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const ask = (action: AskedAction, account = `${ANN}@s.whatsapp.net`) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask(action, account);
  };
  const check = (...contacts: readonly string[]) =>
    ask({ kind: 'contacts_check', request: { contacts: [...contacts] } });
  const type = (chat: string, state: 'composing' | 'recording' | 'paused' = 'composing') =>
    ask({ kind: 'chat_typing', request: { chat, state } });
  const lidOf = (number: string): string => {
    const account = room.whatsApp.world.accounts.get(number);
    if (account === undefined) throw new Error(`${number} has no phone`);
    return jidOf(account, 0, 'lid');
  };
  const accountQueries = async (): Promise<number> => (await room.client.stats()).accountQueries[ANN] ?? 0;

  it('asks nothing for the account that was linked before', async () => {
    const before = await accountQueries();
    const request = { contacts: [`+${BOB}`] };

    const outcome = await ask({ kind: 'contacts_check', request }, `${EVE}@s.whatsapp.net`);

    expect(outcome).toEqual({ outcome: 'other_account' });
    expect((await accountQueries()) - before).toBe(0);
  });

  it('says of each number, in their order and in one query, whether it has an account and which', async () => {
    await room.client.fault({ kind: 'other_number', asked: '5547988211984', account: EVE });
    const before = await accountQueries();

    const outcome = await check(`+${BOB}`, NOBODY, 'not a number', EVE_AS_TYPED, `+${BOB}`);

    const bob = { id: lidOf(BOB), phoneNumber: `+${BOB}`, lid: lidOf(BOB) };
    expect(outcome).toEqual({
      outcome: 'succeeded',
      result: {
        contacts: [
          { input: `+${BOB}`, exists: true, contact: bob },
          { input: NOBODY, exists: false },
          { input: 'not a number', exists: false, problem: 'not_a_phone_number' },
          { input: EVE_AS_TYPED, exists: true, contact: { id: lidOf(EVE), phoneNumber: `+${EVE}`, lid: lidOf(EVE) } },
          { input: `+${BOB}`, exists: true, contact: bob },
        ],
      },
    });
    expect((await accountQueries()) - before).toBe(1);
  });

  it('asks nothing when there is no number among them', async () => {
    const before = await accountQueries();

    const outcome = await check('x', '');

    expect(outcome).toMatchObject({ result: { contacts: [{ exists: false }, { exists: false }] } });
    expect(await accountQueries()).toBe(before);
  });

  it('spares a message the look-up that a check has made', async () => {
    const number = '4915100000077';
    await room.client.addPhone(number, 'Known by a check');
    await check(`+${number}`);
    const before = await accountQueries();

    const needed = await room.socket?.lookUpsFor(`${number}@s.whatsapp.net`);

    expect([...(needed ?? [])]).not.toContain('account');
    expect(await accountQueries()).toBe(before);
  });

  it.each([
    [429, { outcome: 'limited', whatsappCode: 429 }],
    [403, { outcome: 'refused', error: { code: 'refused', whatsappCode: 403 } }],
    [503, { outcome: 'unanswered', whatsappCode: 503 }],
    [408, { outcome: 'unanswered', whatsappCode: 408 }],
  ])('tells what WhatsApp answers: %i', async (code, expected) => {
    await room.client.fault({ kind: 'iq_error', number: ANN, xmlns: 'usync', code });

    expect(await check(NOBODY)).toEqual(expected);
  });

  it('tells that WhatsApp does not answer, within the deadline', async () => {
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'usync' });

    expect(await check(NOBODY)).toEqual({ outcome: 'unanswered' });
  });

  it.each(['composing', 'recording', 'paused'] as const)('shows %s in a chat', async (state) => {
    const outcome = await type(`+${BOB}`, state);

    const shown = await until(
      'a chat state',
      async () => (await room.client.stats()).chatStates[ANN]?.at(-1),
      (last) => last?.state === state,
    );
    expect(shown).toEqual({ to: BOB_JID, state });
    expect(outcome).toMatchObject({
      outcome: 'succeeded',
      result: { chat: { phoneNumber: `+${BOB}` }, state, presence: 'available' },
    });
  });

  it('shows it to a LID and in a group as it is', async () => {
    const { id } = await room.client.addGroup(BOB, 'with us', [ANN]);

    await type(lidOf(BOB));
    await type(id);

    const states = await until(
      'both',
      async () => (await room.client.stats()).chatStates[ANN]?.slice(-2),
      (last) => last?.at(-1)?.to === id,
    );
    expect(states?.map(({ to }) => to)).toEqual([lidOf(BOB), id]);
  });

  it('shows nothing to a number that has no account', async () => {
    const before = (await room.client.stats()).chatStates[ANN]?.length ?? 0;

    expect(await type(NOBODY)).toEqual({ outcome: 'refused', error: { code: 'recipient_has_no_account' } });
    expect((await room.client.stats()).chatStates[ANN]?.length ?? 0).toBe(before);
  });

  it('asks nothing on a socket that has closed, and is unanswered on one that closes meanwhile', async () => {
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'usync' });
    const asking = check(NOBODY);
    await room.client.strike({ kind: 'close', number: ANN });
    const meanwhile = await asking;
    await room.input('socket_closed');

    expect(meanwhile).toEqual({ outcome: 'unanswered' });
    expect(await check(`+${BOB}`)).toEqual({ outcome: 'not_asked' });
  });
});
