import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

describe('a recipient who could not read a message', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());
  const atBob = async () => (await room.client.messages(BOB)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);

  /** The next message uses a key that Bob has seen, as if an old backup had been put back. */
  async function forgetAStep(): Promise<void> {
    const lid = (await room.client.phones()).find(({ number }) => number === BOB)?.lid ?? '';
    const address = `${lid.split('@')[0]}_1.0`;
    const old = await (await room.session()).getKeys('session', [address]);
    await room.send('two');
    await room.socket?.close('end');
    await (await room.session()).setKeys({ session: old });
    expect(Object.keys(old)).toEqual([address]);
  }

  it('is sent it again on a new session, and that is counted beside the messages sent', async () => {
    await room.send('one');
    await forgetAStep();

    await room.login();
    await room.send('three');
    const texts = await until('the third', atBob, (found) => found.length === 3);
    await room.send('four');

    expect(texts).toEqual(['one', 'two', 'three']);
    expect(await atBob()).toEqual(['one', 'two', 'three', 'four']);
    expect(room.metrics.totalOf('MessagesSent')).toBe(4);
    expect(room.metrics.totalOf('RetryReceipts')).toBe(1);
    expect(room.metrics.totalOf('SessionsRenewed', { sinceLast: 'over_a_day' })).toBe(1);
    expect(room.metrics.totalOf('SessionsRenewed', { sinceLast: 'under_a_day' })).toBe(0);
    expect(JSON.stringify(room.metrics.kept)).not.toContain(BOB);
  });

  it('needs no repetition after it has set WhatsApp up again: the next message is for its new keys', async () => {
    await room.send('one');
    await room.client.write(BOB, ANN, 'answer');
    await until(
      'the answer',
      () => room.texts(),
      (texts) => texts.length === 1,
    );
    await room.client.reinstall(BOB);
    await until(
      'the new session',
      () => room.metrics.totalOf('SessionsRenewed', { sinceLast: 'over_a_day' }),
      (count) => count === 1,
    );

    await room.send('two');
    await room.client.write(BOB, ANN, 'from the new phone');
    await until(
      'the answer',
      () => room.texts(),
      (texts) => texts.length === 2,
    );
    await room.send('three');

    expect(await until('the third', atBob, (texts) => texts.length === 3)).toEqual(['one', 'two', 'three']);
    expect(room.texts()).toEqual(['answer', 'from the new phone']);
    expect(await room.client.failures(BOB)).toEqual([]);
    expect(room.metrics.totalOf('RetryReceipts')).toBe(0);
  });

  it('can read everything afterwards, also when messages of the old session arrive late', async () => {
    await room.send('one');
    await room.client.write(BOB, ANN, 'answer');
    await until(
      'the answer',
      () => room.texts(),
      (texts) => texts.length === 1,
    );
    for (const text of ['late 1', 'late 2']) await room.client.writeAhead(BOB, ANN, text);
    await forgetAStep();

    await room.login();
    await room.send('three');
    await until('the third', atBob, (found) => found.length === 3);
    for (const [index, text] of ['four', 'five'].entries()) {
      await room.client.release(BOB, 1);
      await until(
        'the late message',
        () => room.texts(),
        (texts) => texts.length === 2 + index,
      );
      await room.send(text);
    }

    expect(room.texts()).toEqual(['answer', 'late 1', 'late 2']);
    expect(await atBob()).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(await room.client.stats()).toMatchObject({ retryRequests: 1, undecryptable: 1 });
  });
});
