import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

const CAT = '4915100000003';

/** Ann is ours, Bob says that he has read much, and Cat writes meanwhile. */
describe('a receipt that names more messages than are told of at once', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const waiting = async (): Promise<number> =>
    (await room.client.phones()).find(({ number }) => number === ANN)?.devices[0]?.waiting ?? -1;
  const told = () => room.facts.flatMap((fact) => (fact.kind === 'receipt' ? [fact.stanzaId] : []));
  const idsOf = (count: number) => Array.from({ length: count }, (_, index) => `3EB0${index}`);

  async function sayRead(ids: readonly string[]): Promise<void> {
    const list = { tag: 'list', content: ids.slice(1).map((id) => ({ tag: 'item', attrs: { id } })) };
    const stanza = { tag: 'receipt', attrs: { id: ids[0] ?? '', type: 'read' }, content: [list] };
    await room.client.stanza(BOB, { to: ANN, stanza });
  }

  it('counts for all of them, and holds up nobody: the rest is told beside the line, and then it is acknowledged', async () => {
    const ids = idsOf(600);
    await sayRead(ids);
    await room.client.write(CAT, ANN, 'after it');
    await until(
      'the text of Cat',
      () => room.texts(),
      (texts) => texts.includes('after it'),
    );
    const before = told().length;
    const unacknowledged = await waiting();
    await until('all of them', told, ({ length }) => length === ids.length);
    await until('an empty queue', waiting, (count) => count === 0);

    expect(before).toBeLessThan(ids.length);
    expect(unacknowledged).toBeGreaterThan(0);
    expect(told().toSorted()).toEqual(ids.toSorted());
  });

  it('comes again where the socket closes before all of it is told', async () => {
    const ids = idsOf(600);
    await sayRead(ids);
    await until('the first of them', told, ({ length }) => length === 256);
    await room.socket?.close('end');
    await room.login();
    await until(
      'all of them',
      () => new Set(told()).size,
      (count) => count === ids.length,
    );
    await until('an empty queue', waiting, (count) => count === 0);

    expect([...new Set(told())].toSorted()).toEqual(ids.toSorted());
  });

  it('is told of as far as there is room, and what has none is counted', async () => {
    await sayRead(idsOf(20_000));
    await room.client.write(CAT, ANN, 'after it');
    await until(
      'the text of Cat',
      () => room.texts(),
      (texts) => texts.includes('after it'),
    );

    expect(told().length).toBeLessThan(1_000);
    // 256 at once and forty times 256 that wait.
    expect(room.metrics.totalOf('ReceiptsNotCounted', {})).toBe(20_000 - 41 * 256);
    expect(room.inputs.filter(({ type }) => type === 'socket_closed')).toHaveLength(1);
  });
});
