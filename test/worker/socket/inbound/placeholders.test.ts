import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

describe('a message that comes without its content', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const texts = (): readonly string[] => room.texts();
  const requests = async (): Promise<number> => (await room.client.stats()).placeholderRequests[ANN] ?? 0;
  const waiting = async (): Promise<number> => (await room.client.phones())[0]?.devices[0]?.waiting ?? 0;
  const settled = () => until('an empty queue', waiting, (count) => count === 0);

  it('is asked for at the phone and published once, as if it had come with it', async () => {
    const id = await room.client.writePlaceholder(BOB, ANN, 'for the phone only');

    await until('the message', texts, ({ length }) => length === 1);
    await settled();
    const [fact] = room.facts;
    await room.client.strike({ kind: 'close', number: ANN });
    await room.input('socket_closed');
    await room.login();

    expect(texts()).toEqual(['for the phone only']);
    expect(fact).toMatchObject({ stanzaId: id, chat: BOB_JID, sender: BOB_JID, fromMe: false, senderName: 'Bob' });
    expect(await requests()).toBe(1);
    expect(await room.client.stats()).toMatchObject({ retryRequests: 0, undecryptable: 0, refusals: {} });
  });

  it('has the same key as the message itself would have had', async () => {
    const id = await room.client.writePlaceholder(BOB, ANN, 'hello');
    await until('the answer of the phone', texts, ({ length }) => length === 1);
    await room.client.repeat(BOB, id);
    await until('the message itself', texts, ({ length }) => length === 2);

    const [first, second] = room.facts;

    expect(first?.key).toBe(second?.key);
    expect(first).toMatchObject({ ...second, atMs: first?.atMs, receivedAtMs: expect.any(Number) as number });
  });

  it.each(['what the own phone writes', 'a group'])('is completed in every kind of chat: %s', async (kind) => {
    const group = await room.client.addGroup(BOB, 'Three', [ANN]);
    const [from, to, chat] = kind === 'a group' ? [BOB, group.id, group.id] : [ANN, BOB, BOB_JID];

    await room.client.writePlaceholder(from, to, kind);
    await until('the message', texts, ({ length }) => length === 1);
    await settled();

    expect(room.facts.filter((fact) => fact.kind === 'message')).toMatchObject([{ chat, fromMe: from === ANN }]);
  });

  it('is not asked for when it comes after all', async () => {
    const id = await room.client.writePlaceholder(BOB, ANN, 'late');
    await room.client.repeat(BOB, id);
    await until('the message', texts, ({ length }) => length === 1);
    await settled();

    expect(texts()).toEqual(['late']);
    expect(await requests()).toBe(0);
  });

  it('comes again when the socket is cut before the phone was asked, and is asked for then', async () => {
    await room.client.writePlaceholder(BOB, ANN, 'asked for later');
    const before = await until('the stanza', waiting, (count) => count === 1);
    await room.client.strike({ kind: 'close', number: ANN });
    await room.input('socket_closed');
    const asked = await requests();
    await room.login();
    await until('the message', texts, ({ length }) => length === 1);
    await settled();

    expect([before, asked]).toEqual([1, 0]);
    expect(texts()).toEqual(['asked for later']);
    expect(await requests()).toBe(1);
  });

  it('waits in the queue when the socket is cut between the request and the answer', async () => {
    await room.client.fault({ kind: 'slow_phone', number: ANN, ms: 500 });
    await room.client.writePlaceholder(BOB, ANN, 'answered later');
    await until('the request', requests, (count) => count === 1);
    await settled();
    await room.client.strike({ kind: 'close', number: ANN });
    await room.input('socket_closed');
    await until('the answer', waiting, (count) => count === 1);
    await room.login();
    await until('the message', texts, ({ length }) => length === 1);
    await settled();

    expect(texts()).toEqual(['answered later']);
    expect(await requests()).toBe(1);
  });

  it('is asked for only when the backlog is read, and holds nothing up', async () => {
    await room.socket?.close('end');
    await room.client.writePlaceholder(BOB, ANN, 'without content');
    for (const text of ['one', 'two']) await room.client.write(BOB, ANN, text);

    await room.login();
    await until('all', texts, ({ length }) => length === 3);
    await settled();

    expect(texts()).toEqual(['one', 'two', 'without content']);
  });

  it('costs its sender, and nobody else: stanzas with nothing in them reach our phone no faster than he may ask', async () => {
    const flood = 300;
    // What may be asked grows with time, which runs from the first of them.
    const sinceMs = performance.now();
    for (let index = 0; index < flood; index += 1) {
      const stanza = { tag: 'message', attrs: { id: `EMPTY${index}`, type: 'text' } };
      await room.client.stanza(BOB, { to: ANN, stanza });
    }
    await until('the burst of requests', requests, (count) => count >= 50);
    const { outcome } = await room.send('in between');
    const asked = await requests();
    const tookS = (performance.now() - sinceMs) / 1_000;

    expect(outcome).toMatchObject({ outcome: 'acknowledged' });
    expect(asked).toBeLessThanOrEqual(50 + Math.ceil(tookS) + 1);
    expect(await waiting()).toBeGreaterThan(0);
  });
});
