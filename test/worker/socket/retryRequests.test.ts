import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../whatsapp/until.ts';
import { BOB, SocketRoom } from './socketRoom.ts';

describe('a recipient who could not read a message', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());
  const atBob = async () => (await room.client.messages(BOB)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);

  it('is sent it again on a new session, and that is counted beside the messages sent', async () => {
    const lid = (await room.client.phones()).find(({ number }) => number === BOB)?.lid ?? '';
    const address = `${lid.split('@')[0]}_1.0`;
    await room.send('one');
    const old = await (await room.session()).getKeys('session', [address]);
    await room.send('two');
    await room.socket?.close('end');
    // As if an old backup had been put back: the next message uses a key that Bob has seen.
    await (await room.session()).setKeys({ session: old });

    await room.login();
    await room.send('three');
    const texts = await until('the third', atBob, (found) => found.length === 3);
    await room.send('four');

    expect(Object.keys(old)).toEqual([address]);
    expect(texts).toEqual(['one', 'two', 'three']);
    expect(await atBob()).toEqual(['one', 'two', 'three', 'four']);
    expect(room.metrics.totalOf('MessagesSent')).toBe(4);
    expect(room.metrics.totalOf('RetryReceipts')).toBe(1);
    expect(room.metrics.totalOf('SessionsRenewed', { sinceLast: 'over_a_day' })).toBe(1);
    expect(room.metrics.totalOf('SessionsRenewed', { sinceLast: 'under_a_day' })).toBe(0);
    expect(JSON.stringify(room.metrics.kept)).not.toContain(BOB);
  });
});
