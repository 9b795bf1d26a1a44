import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AskedAction } from '../../../../shared/action/actionKinds.ts';
import type { MessageFact } from '../../../../shared/event/facts/messageFactSchema.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, idOf, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const COLLECTION = 'regular_high';

describe('app state that is not as it should be', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    await room.client.shareAppStateKey(ANN, 1);
    await allIsAnswered();
  });
  let before: Readonly<Record<string, number>>;
  beforeEach(() => {
    before = counts();
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const counts = () =>
    Object.fromEntries(
      ['refused', 'key_missing', 'damaged', 'unanswered'].map((end) => [
        end,
        room.metrics.totalOf('AppStateFailed', { end }),
      ]),
    );
  /** How often each end came in this case. */
  const ends = () =>
    Object.fromEntries(
      Object.entries(counts())
        .map(([end, count]) => [end, count - (before[end] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    );
  const waiting = async (): Promise<number> => (await room.client.phones())[0]?.devices[0]?.waiting ?? -1;
  const allIsAnswered = () => until('an empty queue', waiting, (count) => count === 0);
  let ids = 0;
  const phoneStars = async (more: object = {}, stanzaId = `STAR${(ids += 1)}`): Promise<string> => {
    const change = { index: ['star', BOB_JID, stanzaId, '0', '0'], value: { starAction: { starred: true } } };
    await room.client.changeAppState(ANN, { collection: COLLECTION, changes: [change], ...more });
    return stanzaId;
  };
  const told = (stanzaId: string): number =>
    room.facts.filter((fact) => fact.kind === 'message_flag' && fact.stanzaId === stanzaId).length;
  const isTold = (stanzaId: string) =>
    until(
      stanzaId,
      () => told(stanzaId),
      (count) => count > 0,
    ).then((count) => expect(count).toBe(1));
  const aMessage = async (text: string): Promise<MessageFact> => {
    await room.client.write(BOB, ANN, text);
    await until(
      'the message',
      () => room.texts(),
      (texts) => texts.includes(text),
    );
    return room.facts.findLast((fact) => fact.kind === 'message') as MessageFact;
  };
  const star = async () => {
    const message = await aMessage(`to be starred ${(ids += 1)}`);
    const action = { kind: 'message_star', request: { messageId: idOf(message) } } as AskedAction;
    return room.socket?.ask(action, `${ANN}@s.whatsapp.net`);
  };

  it.each(['patch_mac', 'bytes'] as const)(
    'by the server, in %s: all of it is fetched, and nothing is lost',
    async (part) => {
      await room.client.fault({ kind: 'app_state_spoil', number: ANN, part, times: 1 });

      const stanzaId = await phoneStars();

      await isTold(stanzaId);
      await allIsAnswered();
      expect(ends()).toEqual({});
      expect(await star()).toMatchObject({ outcome: 'succeeded' });
    },
  );

  it.each(['snapshot_mac', 'blob', 'endless'] as const)(
    'by the server, and by its snapshot, too (%s): it is given up, with an end, and made good by the next',
    async (part) => {
      await room.client.fault({ kind: 'app_state_spoil', number: ANN, part: 'patch_mac', times: 1 });
      await room.client.fault({ kind: 'app_state_spoil', number: ANN, part, times: 1 });

      const first = await phoneStars();
      await until('the end', ends, ({ damaged }) => damaged === 1);
      await allIsAnswered();
      expect(told(first)).toBe(0);
      const second = await phoneStars();

      await isTold(first);
      await isTold(second);
      expect(ends()).toEqual({ damaged: 1 });
    },
  );

  it('by the phone, in a MAC of the patch: the whole has it right', async () => {
    await isTold(await phoneStars({ spoil: 'patch_mac' }));

    expect(ends()).toEqual({});
    expect(await star()).toMatchObject({ outcome: 'succeeded' });
  });

  it('by the phone, in the MAC of the whole: nothing is written on top of it, until a patch makes it good', async () => {
    const lost = await phoneStars({ spoil: 'snapshot_mac' });
    await until('the end', ends, ({ damaged }) => damaged === 1);

    expect(await star()).toEqual({ outcome: 'refused', error: { code: 'app_state_damaged' } });
    const next = await phoneStars();

    await isTold(next);
    await isTold(lost);
    expect(await star()).toMatchObject({ outcome: 'succeeded' });
  });

  it.each(['value_mac', 'index_mac'] as const)('by the phone, in %s: until it writes the same anew', async (spoil) => {
    const stanzaId = await phoneStars({ spoil });
    await until('the end', ends, ({ damaged }) => damaged === 1);
    await allIsAnswered();
    const others = await aMessage(`meanwhile ${spoil}`);

    expect(told(stanzaId)).toBe(0);
    expect(others.fromMe).toBe(false);
    expect(await star()).toEqual({ outcome: 'refused', error: { code: 'app_state_damaged' } });
  });
});

describe('app state that cannot be had', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    await room.client.shareAppStateKey(ANN, 1);
  });
  afterEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const waiting = async (): Promise<number> => (await room.client.phones())[0]?.devices[0]?.waiting ?? -1;
  const becomesWaiting = (count: number) => until(`${count} waiting`, waiting, (now) => now === count);
  const change = (stanzaId: string) => ({
    index: ['star', BOB_JID, stanzaId, '0', '0'],
    value: { starAction: { starred: true } },
  });
  const isTold = (stanzaId: string) =>
    until(
      stanzaId,
      () => room.facts.some((fact) => fact.kind === 'message_flag' && fact.stanzaId === stanzaId),
      (found) => found,
    );

  it('is told at the next login where WhatsApp does not answer, and holds up no message meanwhile', async () => {
    await becomesWaiting(0);
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'w:sync:app:state' });
    await room.client.changeAppState(ANN, { collection: COLLECTION, changes: [change('SILENT')] });
    const { outcome } = await room.send('while it hangs');
    await room.client.write(BOB, ANN, 'while it hangs, too');
    await until(
      'the message',
      () => room.texts(),
      (texts) => texts.includes('while it hangs, too'),
    );
    expect(outcome).toMatchObject({ outcome: 'acknowledged' });
    expect(await waiting()).toBe(1);
    await room.client.clearFaults();
    await room.socket?.close('end');

    await room.login();

    await isTold('SILENT');
    await becomesWaiting(0);
  });

  it('is read when the phone has given the key with which it was sealed, for which it is asked', async () => {
    await room.client.changeAppState(ANN, { collection: COLLECTION, changes: [change('SEALED')], unsharedKey: true });
    await until(
      'the end',
      () => room.metrics.totalOf('AppStateFailed', { end: 'key_missing' }),
      (count) => count > 0,
    );
    await becomesWaiting(0);

    // The phone is asked for it, and gives every key that it has.
    await isTold('SEALED');
  });
});
