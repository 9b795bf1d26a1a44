import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { until } from '../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from './socketRoom.ts';

/** Long enough for a frame to come and go on loopback several times. */
const A_WHILE_MS = 300;

describe('a socket whose worker is suspended', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const received = () => room.facts.flatMap((fact) => (fact.kind === 'message' ? [fact.content] : []));
  const waiting = async (): Promise<number> =>
    (await room.client.phones()).find(({ number }) => number === ANN)?.devices[0]?.waiting ?? 0;
  const logins = async (): Promise<number> => (await room.client.stats()).logins[ANN]?.length ?? 0;

  it('reads nothing: what comes is neither published nor acknowledged, and is handled in order when it resumes', async () => {
    const before = await logins();
    room.gate.close();

    await room.client.write(BOB, ANN, 'one');
    await room.client.write(BOB, ANN, 'two');
    await systemClock.sleep(A_WHILE_MS);
    const whileSuspended = { received: received(), waiting: await waiting() };
    room.gate.open();
    const after = await until('both messages', received, (texts) => texts.length === 2);
    await until('their receipts', waiting, (count) => count === 0);

    expect(whileSuspended).toEqual({ received: [], waiting: 2 });
    expect(after).toMatchObject([{ text: { body: 'one' } }, { text: { body: 'two' } }]);
    expect(await logins()).toBe(before);
    expect(room.inputs.filter(({ type }) => type === 'socket_closed')).toHaveLength(1);
  });

  it('sends nothing, not even what was under way, and goes on when it resumes', async () => {
    const atBob = async () => (await room.client.messages(BOB)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
    await room.send('before');
    room.gate.close();

    const sending = room.send('held');
    await systemClock.sleep(A_WHILE_MS);
    const whileSuspended = await atBob();
    room.gate.open();
    const { outcome } = await sending;

    // A send that meets the closed gate before its step is committed is tried again later, with the same stanza id.
    expect(whileSuspended).toEqual(['before']);
    expect(['acknowledged', 'unknown']).toContain(outcome?.outcome);
    expect((await room.client.stats()).overlap).toBe(0);
  });

  it('leaves a socket to its end when the worker is fenced: nothing more comes out of it', async () => {
    room.gate.fence();

    await room.client.write(BOB, ANN, 'for the next owner');
    await systemClock.sleep(A_WHILE_MS);

    expect(received()).toEqual([]);
    expect(await waiting()).toBe(1);
  });
});
