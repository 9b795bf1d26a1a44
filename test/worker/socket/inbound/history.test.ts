import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReceivedMessage } from '../../../../shared/message/message.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

const ANN_JID = `${ANN}@s.whatsapp.net`;

describe('the history that a phone tells of', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    await until('the notice of the first login', told, (all) => all.includes('initial'));
  });
  afterEach(() => room.stop());

  const told = (): readonly string[] => room.histories.map(({ type }) => type);
  const waiting = async (): Promise<number> => (await room.client.phones())[0]?.devices[0]?.waiting ?? 0;
  const settled = () => until('an empty queue', waiting, (count) => count === 0);

  it('is recorded before its receipt leaves, wherever it lies, and nothing of it is fetched or told here', async () => {
    await room.client.tellHistory(ANN, { type: 'recent', chunk: 2, progress: 40, made: { chats: 3, messages: 5 } });
    await room.client.tellHistory(ANN, { type: 'names', inline: true, names: [{ id: BOB_JID, name: 'Bob' }] });
    await until('both notices', told, ({ length }) => length === 3);
    await settled();

    expect(room.histories.slice(1)).toMatchObject([
      { type: 'recent', chunk: 2, progress: 40, place: { file: { use: 'history' } } },
      { type: 'names', place: { inline: expect.any(Uint8Array) as Uint8Array } },
    ]);
    expect(room.whatsApp.mediaLog.stats().downloads).toBe(0);
    expect(room.facts.filter(({ kind }) => kind === 'message')).toEqual([]);
  });

  it('comes again where it could not be recorded, and messages are not lost with it', async () => {
    let refusals = 0;
    room.onHistory = async () => {
      refusals += 1;
      if (refusals === 1) throw new Error('the store does not answer');
    };
    await room.client.tellHistory(ANN, { type: 'recent', made: { chats: 1, messages: 1 } });
    await room.input('socket_closed');
    const left = await waiting();
    await room.login();
    await until('the notice', told, (all) => all.includes('recent'));
    await settled();

    expect([left, refusals]).toEqual([1, 2]);
    await room.client.write(BOB, ANN, 'hello');
    await until(
      'the message',
      () => room.texts(),
      (texts) => texts.includes('hello'),
    );
  });

  describe('of a chat, on request', () => {
    const request = { kind: 'chat_history_fetch', request: { chat: BOB_JID, messages: 2 } } as const;
    const at = 1_700_000_000;
    const past = (place: number) => ({ id: `OLD${place}`, at: at - place, text: `old ${place}` });
    const oldest = {
      direction: 'in',
      chat: BOB_JID,
      sender: BOB_JID,
      stanzaId: 'OLD1',
      createdAtMs: (at - 1) * 1_000,
    } as unknown as ReceivedMessage;

    it('is asked of the phone from the oldest message on, and its answer is recorded like every other', async () => {
      room.oldest = oldest;
      await room.client.keepPast(ANN, { chats: [{ id: BOB_JID, messages: [0, 1, 2, 3, 4].map(past) }] });

      expect(await room.socket?.ask(request, ANN_JID)).toMatchObject({
        outcome: 'succeeded',
        result: { before: new Date((at - 1) * 1_000).toISOString() },
      });
      expect(room.histories.at(-1)).toMatchObject({ type: 'on_demand', requestId: expect.any(String) as string });
    });

    it(
      'ends as phone_offline where the phone has no network, and what it says later is recorded',
      { timeout: 60_000 },
      async () => {
        room.oldest = oldest;
        await room.client.keepPast(ANN, { chats: [{ id: BOB_JID, messages: [past(2)] }] });
        const { phones, world } = room.whatsApp;
        const ann = world.accounts.get(ANN);
        if (ann === undefined) throw new Error('there is no such phone');
        phones.disconnect(ann);

        expect(await room.socket?.ask(request, ANN_JID)).toEqual({
          outcome: 'refused',
          error: { code: 'phone_offline' },
        });
        phones.connect(ann);
        await until('the late answer', told, (all) => all.includes('on_demand'));
      },
    );

    it('is not asked for where no message says before which one', async () => {
      expect(await room.socket?.ask(request, ANN_JID)).toEqual({
        outcome: 'refused',
        error: { code: 'no_message_known' },
      });
    });
  });
});
