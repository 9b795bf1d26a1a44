import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

silenceConsole();

describe('a send to a number of which it is not known whether it has an account', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterAll(() => room.stop());
  const oldestMs = (): number | undefined => room.socket?.evidence(systemClock.monotonicMs()).oldestUnacknowledgedMs;

  it('is not known to have failed while WhatsApp does not say, and counts as a send without an answer', async () => {
    await room.client.fault({ kind: 'iq_hang', number: ANN, xmlns: 'usync', times: 1 });

    const unanswered = await room.send('hello');
    const whileUnanswered = oldestMs();
    const answered = await room.send('hello again', unanswered.stanzaId);
    const afterwards = oldestMs();

    expect(unanswered.outcome).toEqual({ outcome: 'look_up_unanswered', lookUp: 'account' });
    // Baileys waits for 3 s here.
    expect(whileUnanswered).toBeGreaterThan(2_900);
    expect(answered.outcome).toMatchObject({ outcome: 'acknowledged' });
    expect(afterwards).toBeUndefined();
    expect((await room.client.messages(BOB)).map(({ text }) => text)).toEqual(['hello again']);
  });

  it('fails at once when WhatsApp says that it has none', async () => {
    const { outcome } = await room.send('to nobody', undefined, '4915199999999@s.whatsapp.net');

    expect(outcome).toEqual({ outcome: 'no_account' });
    expect(oldestMs()).toBeUndefined();
  });
});
