import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStanzaId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

const CAT = '4915100000003';

/** Ann is ours, Bob gets a message, and Cat writes meanwhile. */
describe('a receipt that comes before the result of its message is recorded', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const waiting = async (): Promise<number> =>
    (await room.client.phones()).find(({ number }) => number === ANN)?.devices[0]?.waiting ?? -1;
  const receipts = () => room.facts.filter(({ kind }) => kind === 'receipt');

  it('waits by itself: what others write does not wait with it', async () => {
    const recorded = Promise.withResolvers<void>();
    const stanzaId = makeStanzaId(systemRandom);
    const content = { type: 'text', text: { body: 'to Bob' } } as const;
    await room.socket?.send({ stanzaId, to: BOB_JID, content, recorded: recorded.promise });
    const [shown] = await until(
      'the text at Bob',
      () => room.client.messages(BOB),
      ({ length }) => length === 1,
    );
    await room.client.read(BOB, shown?.id ?? '');
    await until('both receipts', waiting, (count) => count === 2);

    await room.client.write(CAT, ANN, 'in between');
    await until(
      'the text of Cat',
      () => room.texts(),
      (texts) => texts.includes('in between'),
    );
    const before = receipts().length;
    recorded.resolve();
    await until('an empty queue', waiting, (count) => count === 0);

    expect(before).toBe(0);
    expect(receipts()).toMatchObject([
      { stanzaId, state: 'delivered' },
      { stanzaId, state: 'read' },
    ]);
  });
});
