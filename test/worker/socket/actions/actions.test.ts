import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import { until } from '../../../whatsapp/until.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { jidOf } from '../../../whatsapp/world.ts';
import type { MessageFact } from '../../../../shared/event/facts/messageFactSchema.ts';
import { ANN, BOB, BOB_JID, idOf, SocketRoom } from '../socketRoom.ts';

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
  afterEach(() => {
    room.lookUps.clear();
    return room.client.clearFaults();
  });
  afterAll(() => room.stop());

  const ask = (action: AskedAction, account = `${ANN}@s.whatsapp.net`) => {
    if (room.socket === undefined) throw new Error('there is no socket');
    return room.socket.ask(action, account);
  };
  const check = (...contacts: readonly string[]) =>
    ask({ kind: 'contacts_check', request: { contacts: [...contacts] } });
  const type = (chat: string, state: 'composing' | 'recording' | 'paused' = 'composing', seconds = 25) =>
    ask({ kind: 'chat_typing', request: { chat, state, seconds } });
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

  it('asks for no number twice, and for fifty at a time, also where another try goes on', async () => {
    const numbers = Array.from({ length: 120 }, (_, index) => `+49151100${String(index).padStart(5, '0')}`);
    const before = await accountQueries();

    const first = await check(...numbers);
    const second = await check(...numbers);
    const third = await check(...numbers);
    const again = await check(...numbers);

    expect([first, second]).toEqual([
      { outcome: 'partly', progress: { done: 50, total: 120 } },
      { outcome: 'partly', progress: { done: 100, total: 120 } },
    ]);
    expect(third).toMatchObject({ outcome: 'succeeded' });
    expect(third).toEqual(again);
    expect((await accountQueries()) - before).toBe(3);
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

  it('ends what is typed by itself, once, and not before it was asked to go on', async () => {
    const statesOf = async (to: string): Promise<readonly string[]> =>
      ((await room.client.stats()).chatStates[ANN] ?? []).filter((each) => each.to === to).map(({ state }) => state);
    const { id } = await room.client.addGroup(BOB, 'with a typist', [ANN]);

    await type(id, 'composing', 1);
    await type(id, 'recording', 1);
    const states = await until(
      'the end',
      () => statesOf(id),
      (all) => all.includes('paused'),
    );

    expect(states).toEqual(['composing', 'recording', 'paused']);
  });

  it('shows another presence for a while, and then the chosen one again', async () => {
    const shown = async (): Promise<string | undefined> => (await room.client.stats()).presence[ANN];
    const becomes = (wanted: string) => until(wanted, shown, (presence) => presence === wanted);
    await becomes('available');

    const outcome = await ask({ kind: 'presence_set', request: { state: 'unavailable', seconds: 1 } });
    await becomes('unavailable');
    const typed = await type(`+${BOB}`, 'paused');
    await becomes('available');

    expect(outcome).toMatchObject({ outcome: 'succeeded', result: { state: 'unavailable' } });
    expect(typed).toMatchObject({ result: { presence: 'unavailable' } });
  });

  describe('marks what others wrote', () => {
    const arrived = async (text: string): Promise<MessageFact> => {
      const found = (): MessageFact | undefined =>
        room.facts.find(
          (fact) => fact.kind === 'message' && fact.content.type === 'text' && fact.content.text.body === text,
        ) as MessageFact | undefined;
      return (await until(text, found, (fact) => fact !== undefined)) as MessageFact;
    };
    const statusAt = (number: string, id: string, wanted: string) =>
      until(
        `${id} is ${wanted}`,
        async () => (await room.client.messages(number)).find((entry) => entry.id === id)?.status,
        (status) => status === wanted,
      );
    const mark = (messageId: string, earlier = true) => ask({ kind: 'message_read', request: { messageId, earlier } });

    it('as read, with all before it in its chat, each named to its own sender', async () => {
      await room.client.addPhone('4915100000078', 'Dan');
      const { id: group } = await room.client.addGroup(BOB, 'Readers', [ANN, '4915100000078']);
      const first = await room.client.write(BOB, group, 'the first for readers');
      await arrived('the first for readers');
      const second = await room.client.write('4915100000078', group, 'the second for readers');
      const newest = await arrived('the second for readers');

      const outcome = await mark(idOf(newest));

      const receipts = async (number: string, id: string) =>
        (await room.client.messages(number)).find((entry) => entry.id === id)?.receipts[ANN];
      await until(
        'both are read',
        async () => [await receipts(BOB, first), await receipts('4915100000078', second)],
        (both) => both.every((progress) => progress === 'read'),
      );
      expect(outcome).toMatchObject({ outcome: 'succeeded', result: { chat: { id: group }, messages: 2, told: true } });
      expect(room.marked).toContain(idOf(newest));
    });

    it('as read, that one alone where that is asked for', async () => {
      const before = await room.client.write(BOB, ANN, 'not to be marked');
      await arrived('not to be marked');
      const id = await room.client.write(BOB, ANN, 'to be marked alone');
      const newest = await arrived('to be marked alone');

      const outcome = await mark(idOf(newest), false);

      await statusAt(BOB, id, 'read');
      await statusAt(BOB, before, 'delivered');
      expect(outcome).toMatchObject({ result: { messages: 1, chat: { phoneNumber: `+${BOB}` } } });
    });

    it('as played', async () => {
      const id = await room.client.write(BOB, ANN, 'as if it were a voice note');
      const fact = await arrived('as if it were a voice note');

      const outcome = await ask({ kind: 'message_played', request: { messageId: idOf(fact) } });

      await statusAt(BOB, id, 'played');
      expect(outcome).toMatchObject({ outcome: 'succeeded', result: { messages: 1, told: true } });
    });

    it('or tells that WhatsApp does not answer whether senders may be told', async () => {
      await room.client.write(BOB, ANN, 'while nobody answers');
      const fact = await arrived('while nobody answers');
      await room.socket?.close('end');
      // What kind of mark to send is asked once, when the socket opens, and again as long as there is no answer.
      await room.client.fault({ kind: 'iq_hang', xmlns: 'privacy' });
      await room.login();

      expect(await mark(idOf(fact))).toEqual({ outcome: 'unanswered' });
      await room.client.clearFaults();
      expect(await mark(idOf(fact))).toMatchObject({ outcome: 'succeeded' });
    });

    it('but no message that is not there', async () => {
      const outcome = await mark('msg_01K3C5F7XQ8M2V4N6B9D0E1G3H');

      expect(outcome).toEqual({ outcome: 'refused', error: { code: 'message_not_found' } });
      expect(await mark('nonsense')).toEqual(outcome);
    });
  });

  describe('calls', () => {
    const callStates = (id: string): readonly (string | boolean | undefined)[] =>
      room.facts.flatMap((fact) => (fact.kind === 'call_status' && fact.callId === id ? [fact.state] : []));
    const rings = (id: string) =>
      until(
        'the call',
        () => room.facts.some((fact) => fact.kind === 'call' && fact.callId === id),
        (isTold) => isTold,
      );
    const becomes = (id: string, wanted: string) =>
      until(
        wanted,
        () => callStates(id),
        (states) => states.includes(wanted),
      );

    it('are refused by their id alone, and it is told that they are', async () => {
      const id = await room.client.call(BOB, ANN, true);
      await rings(id);

      const outcome = await ask({ kind: 'call_reject', request: { callId: id } });

      await becomes(id, 'rejected');
      expect((await room.client.calls(BOB)).find((call) => call.id === id)?.state).toBe('rejected');
      expect(outcome).toMatchObject({ outcome: 'succeeded', result: { caller: { phoneNumber: `+${BOB}` } } });
      const fact = room.facts.findLast((each) => each.kind === 'call_status' && each.callId === id);
      expect(fact).toMatchObject({ video: true, callerAlias: BOB_JID });
    });

    it('that nobody knows are refused where the caller is said', async () => {
      const id = await room.client.call(BOB, ANN);
      await rings(id);
      await room.socket?.close('end');
      await room.login();

      const unknown = await ask({ kind: 'call_reject', request: { callId: id } });
      const named = await ask({ kind: 'call_reject', request: { callId: id, caller: lidOf(BOB) } });

      expect(unknown).toEqual({ outcome: 'refused', error: { code: 'call_not_found' } });
      expect(named).toMatchObject({ outcome: 'succeeded' });
      expect((await room.client.calls(BOB)).find((call) => call.id === id)?.state).toBe('rejected');
    });

    it.each(['accepted', 'rejected', 'timeout', 'ended'] as const)('are told of when they are %s', async (state) => {
      const id = await room.client.call(BOB, ANN, true);
      await rings(id);

      await room.client.endCall(BOB, id, state);
      await becomes(id, state);

      const fact = room.facts.findLast((each) => each.kind === 'call_status' && each.callId === id);
      expect(fact).toMatchObject({ caller: lidOf(BOB), callerAlias: BOB_JID, video: true });
    });
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
