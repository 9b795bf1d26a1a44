import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

const CAT = '4915100000103';
const DAN = '4915100000104';
/** Has a second spelling that no look-up has been asked for. */
const EVE = '554788211984';
const EVE_SPELLED = '5547988211984';
const MEMBERS = ['4915100000105', '4915100000106'] as const;
const jid = (number: string): string => `${number}@s.whatsapp.net`;

describe('first contacts, on a real socket', () => {
  let room: SocketRoom;
  /** The number of messages that were asked about as first contacts. */
  let asked = 0;
  beforeAll(async () => {
    room = await SocketRoom.start();
    for (const number of [CAT, DAN, EVE, ...MEMBERS]) await room.client.addPhone(number, number);
    await room.pairByQr();
    room.firstContact = async () => {
      asked += 1;
      return 'go';
    };
  });
  afterAll(() => room.stop());

  const lidOf = (number: string): string => `${room.whatsApp.world.accounts.get(number)?.lid ?? ''}@lid`;
  const isFirst = async (to: string): Promise<boolean | undefined> => room.socket?.isFirstContact(to);
  const arrived = (text: string) =>
    until(
      'a text',
      () => room.texts(),
      (texts) => texts.includes(text),
    );
  const send = async (to: string, text: string) => {
    asked = 0;
    const { outcome } = await room.send(text, undefined, to);
    return [outcome?.outcome, asked];
  };
  /** What a new owner finds, who remembers nothing. */
  const moved = async (): Promise<void> => {
    await room.socket?.close('end');
    await room.login();
  };

  it('are to whom nothing was ever written, by number and by LID, and are none once WhatsApp has one', async () => {
    expect(await Promise.all([isFirst(jid(BOB)), isFirst(lidOf(BOB))])).toEqual([true, true]);

    expect(await send(jid(BOB), 'hello Bob')).toEqual(['acknowledged', 1]);

    expect(await send(jid(BOB), 'again')).toEqual(['acknowledged', 0]);
    expect(await send(lidOf(BOB), 'by LID')).toEqual(['acknowledged', 0]);
    await moved();
    expect(await Promise.all([isFirst(jid(BOB)), isFirst(lidOf(BOB))])).toEqual([false, false]);
  });

  it('are none to who has written, whatever the filters drop, also for a new owner', async () => {
    room.settings = { filters: { people: 'drop' } };
    await room.client.write(CAT, ANN, 'a dropped question');
    await until(
      'it being counted',
      () => room.metrics.totalOf('MessagesFiltered', { kind: 'people' }),
      (count) => count > 0,
    );
    room.settings = {};

    await until(
      'the mark',
      async () => isFirst(lidOf(CAT)),
      (first) => first === false,
    );
    expect(await send(jid(CAT), 'an answer')).toEqual(['acknowledged', 0]);
    await moved();
    expect(await Promise.all([isFirst(jid(CAT)), isFirst(lidOf(CAT))])).toEqual([false, false]);
  });

  it('are none to whom the phone of the account has written', async () => {
    await room.client.write(ANN, DAN, 'from the phone');
    await arrived('from the phone');

    await until(
      'the mark',
      async () => isFirst(jid(DAN)),
      (first) => first === false,
    );
    expect(await send(jid(DAN), 'from here')).toEqual(['acknowledged', 0]);
  });

  it('are to members of a group as to anybody else, also after both have written there; and never to the group, or to itself', async () => {
    const group = await room.client.addGroup(ANN, 'many', MEMBERS);
    expect(await send(group.id, 'to all')).toEqual(['acknowledged', 0]);
    await room.client.write(MEMBERS[0], group.id, 'to all as well');
    await arrived('to all as well');

    expect(await Promise.all(MEMBERS.map((number) => isFirst(jid(number))))).toEqual([true, true]);
    expect(await send(jid(MEMBERS[0]), 'in private')).toEqual(['acknowledged', 1]);
    expect(await Promise.all([isFirst(group.id), isFirst(jid(ANN)), isFirst(lidOf(ANN))])).toEqual([
      false,
      false,
      false,
    ]);
    expect(await send(jid(ANN), 'a note')).toEqual(['acknowledged', 0]);
  });

  it('are judged by the account that WhatsApp names for a number, and a spelling that was used is known to a new owner', async () => {
    await room.client.fault({ kind: 'other_number', asked: EVE_SPELLED, account: EVE });
    await room.client.write(EVE, ANN, 'it is me');
    await arrived('it is me');

    expect(await send(jid(EVE_SPELLED), 'by another spelling')).toEqual(['acknowledged', 0]);
    await moved();
    expect(await isFirst(jid(EVE_SPELLED))).toBe(false);
    await room.client.clearFaults();
  });

  it('leave nothing behind where they may not leave: no keys are asked for, and they are first contacts still', async () => {
    const before = (await room.client.stats()).keyFetches;
    room.firstContact = async () => 'wait';

    const { outcome } = await room.send('not now', undefined, jid(MEMBERS[1]));

    expect(outcome).toEqual({ outcome: 'first_contact_waits' });
    expect((await room.client.stats()).keyFetches).toBe(before);
    expect(await isFirst(jid(MEMBERS[1]))).toBe(true);
    room.firstContact = async () => 'go';
  });

  it('that are refused stay first contacts; and the lock of the account is asked for, once', async () => {
    await room.client.fault({ kind: 'refuse_first_contacts', code: 463, number: ANN });
    await room.client.fault({ kind: 'time_lock', number: ANN, endsInSeconds: 3_600 });

    const { outcome } = await room.send('refused', undefined, jid(MEMBERS[1]));
    const limits = await until(
      'the answer',
      () => room.limits,
      ({ length }) => length > 0,
    );
    await room.send('refused again', undefined, jid(MEMBERS[1]));

    expect(outcome).toEqual({ outcome: 'refused', code: 463 });
    expect(limits).toMatchObject([{ limit: 'time_lock', isActive: true, asked: true }]);
    expect((limits[0]?.untilMs ?? 0) - Date.now()).toBeGreaterThan(3_500_000);
    expect(await isFirst(jid(MEMBERS[1]))).toBe(true);
    expect(await send(jid(BOB), 'existing chats go on')).toEqual(['acknowledged', 0]);
    expect(room.limits).toHaveLength(1);
    await room.client.clearFaults();
  });

  it('are stopped and let go by notices of WhatsApp alone', async () => {
    room.limits.length = 0;
    await room.client.strike({
      kind: 'tell_limit',
      limit: 'time_lock',
      isActive: true,
      endsInSeconds: 60,
      number: ANN,
    });
    await room.client.strike({ kind: 'tell_limit', limit: 'time_lock', isActive: false, number: ANN });
    await room.client.strike({ kind: 'tell_limit', limit: 'chat_cap', isActive: true, endsInSeconds: 60, number: ANN });

    const told = await until(
      'all of them',
      () => room.limits,
      ({ length }) => length === 3,
    );

    expect(told.map(({ limit, isActive }) => `${limit} ${isActive}`)).toEqual([
      'time_lock true',
      'time_lock false',
      'chat_cap true',
    ]);
  });
});
