import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';

silenceConsole();

/** Ann is ours, and Bob writes what never opens on a linked device. */
describe('a message that no linked device can open', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const told = () => room.facts.filter((fact) => fact.kind === 'message');
  const waiting = async () =>
    (await room.client.phones()).find(({ number }) => number === ANN)?.devices[0]?.waiting ?? -1;

  it('is told as the answer of a bot by its cipher, and nobody is asked for it', async () => {
    const { id } = await room.client.raw(BOB, { to: ANN, ciphertext: 'AAAA', enc: 'msmsg' });
    await room.client.write(BOB, ANN, 'neighbour');

    await until('both', told, ({ length }) => length === 2);
    await until('an empty queue', waiting, (count) => count === 0);
    expect(told()).toMatchObject([
      { stanzaId: id, chat: BOB_JID, content: { type: 'unavailable', unavailable: { reason: 'bot' } } },
      { content: { type: 'text' } },
    ]);
    expect((await room.client.stats()).retryRequests).toBe(0);
  });

  it.each([
    ['bot_unavailable_fanout', 'bot'],
    ['hosted_unavailable_fanout', 'hosted'],
    ['view_once_unavailable_fanout', 'view_once'],
    ['view_once', 'view_once'],
  ])('is told with the reason for which WhatsApp withholds it: %s', async (type, reason) => {
    const content = [{ tag: 'unavailable', attrs: { type } }];
    const stanza = { tag: 'message', attrs: { id: 'WITHHELD', type: 'text' }, content };
    await room.client.stanza(BOB, { to: ANN, stanza });
    await room.client.stanza(BOB, { to: ANN, stanza });
    await room.client.write(BOB, ANN, 'neighbour');

    await until('all', told, (facts) => facts.some(({ content: { type: kind } }) => kind === 'text'));
    await until('an empty queue', waiting, (count) => count === 0);
    const [first, second] = told();
    expect(first).toMatchObject({
      stanzaId: 'WITHHELD',
      content: { type: 'unavailable', unavailable: { reason } },
    });
    expect(second?.key).toBe(first?.key);
  });

  it.each([
    ['of another kind of cipher', { tag: 'enc', attrs: { v: '2', type: 'other' }, content: { base64: 'AAAA' } }],
    ['of another reason', { tag: 'unavailable', attrs: { type: 'other' } }],
  ])('is none that may still be opened: %s', async (_what, part) => {
    const stanza = { tag: 'message', attrs: { id: 'MAY-OPEN', type: 'text' }, content: [part] };
    await room.client.stanza(BOB, { to: ANN, stanza });
    await room.client.write(BOB, ANN, 'neighbour');

    await until('the neighbour', told, ({ length }) => length > 0);
    expect(told()).toMatchObject([{ content: { type: 'text' } }]);
  });
});
