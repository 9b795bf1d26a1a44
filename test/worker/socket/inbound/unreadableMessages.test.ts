import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStanzaId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';
import { linkRawClient, ourDevice, type RawClient } from '../strangers.ts';

silenceConsole();
const CAT = '4915100000003';

/** Ann is ours, Bob a contact, and Cat sends what nobody can decrypt. */
describe('messages that cannot be decrypted', () => {
  let room: SocketRoom;
  let cat: RawClient;
  let requests: BinaryNode[];
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    await room.pairByQr();
    cat = await linkRawClient(room, CAT);
    requests = [];
    cat.client.socket.ws.on('CB:receipt', (stanza: BinaryNode) => {
      if (stanza.attrs['type'] === 'retry') requests.push(stanza);
    });
  });
  afterEach(async () => {
    cat.close();
    await room.stop();
  });

  const outcomes = (outcome: string) => room.metrics.totalOf('UnreadableMessages', { outcome });
  const waiting = async () =>
    (await room.client.phones()).find(({ number }) => number === ANN)?.devices[0]?.waiting ?? -1;

  function noise(type: string, id: string = makeStanzaId(systemRandom)): BinaryNode {
    const to = ourDevice(room);
    const enc = { tag: 'enc', attrs: { v: '2', type }, content: randomBytes(80) };
    const part = { tag: 'to', attrs: { jid: to }, content: [enc] };
    return {
      tag: 'message',
      attrs: { id, to: `${ANN}@s.whatsapp.net`, type: 'text' },
      content: [{ tag: 'participants', attrs: {}, content: [part] }],
    };
  }

  it.each(['msg', 'pkmsg', 'skmsg', 'no_such_type'])(
    'hold nobody up: 200 of type %s, then a text of somebody else',
    async (type) => {
      for (let count = 0; count < 200; count += 1) await cat.send(noise(type));
      // The patience of the wait is less than a rest of 300 ms for each message would take.
      await room.client.write(BOB, ANN, 'after the noise');
      await until(
        'the text',
        () => room.texts(),
        (texts) => texts.includes('after the noise'),
      );

      expect(room.inputs.filter(({ type: input }) => input === 'socket_closed')).toHaveLength(1);
    },
  );

  it('are asked for, acknowledged only then, and never more than their sender can pay for', async () => {
    for (let count = 0; count < 120; count += 1) await cat.send(noise('msg'));
    await until(
      'the burst of requests',
      () => requests.length,
      (count) => count >= 50,
    );
    await room.client.write(BOB, ANN, 'after the noise');
    await until(
      'the text',
      () => room.texts(),
      (texts) => texts.includes('after the noise'),
    );

    // A request leaves first and the acknowledgement follows: whatever was acknowledged by then had been asked for.
    const left = await waiting();
    const asked = requests.length;
    expect(asked).toBeLessThan(110);
    expect(left).toBeGreaterThanOrEqual(120 - asked);
    expect(new Set(requests.map(({ attrs }) => attrs['id'])).size).toBe(asked);
  });

  it('are asked for also when their key is gone: what was never handled is not taken for a copy', async () => {
    const to = ourDevice(room);
    await cat.client.socket.assertSessions([to]);
    const data = Buffer.from([0x0a, 0x02, 0x68, 0x69, 0x01]);
    const { type, ciphertext } = await cat.client.socket.signalRepository.encryptMessage({ jid: to, data });
    const sealed = (id: string): BinaryNode => {
      const enc = { tag: 'enc', attrs: { v: '2', type }, content: ciphertext };
      const part = { tag: 'to', attrs: { jid: to }, content: [enc] };
      return { ...noise(type, id), content: [{ tag: 'participants', attrs: {}, content: [part] }] };
    };

    await cat.send(sealed('FIRST'));
    await until(
      'the text',
      () => room.texts(),
      (texts) => texts.includes('hi'),
    );
    await cat.send(sealed('SECOND'));
    await until(
      'the request',
      () => requests.map(({ attrs }) => attrs['id']),
      (ids) => ids.includes('SECOND'),
    );

    expect(room.texts()).toEqual(['hi']);
  });

  it('come again at the next login when they were not asked for yet, and are asked for then', async () => {
    for (let count = 0; count < 60; count += 1) await cat.send(noise('msg'));
    await until(
      'the burst of requests',
      () => requests.length,
      (count) => count >= 50,
    );
    await room.socket?.close('end');
    const left = await waiting();
    await room.login();
    await until('nothing to wait', waiting, (count) => count === 0);

    expect(left).toBeGreaterThan(0);
    expect(new Set(requests.map(({ attrs }) => attrs['id'])).size).toBe(60);
  });

  it('are asked for ten times under one id at most, with new keys a few times', async () => {
    const id = makeStanzaId(systemRandom);
    for (let count = 0; count < 5; count += 1) await cat.send(noise('msg', id));
    await until(
      'the requests',
      () => requests.length,
      (count) => count === 5,
    );

    expect(requests.map(({ content }) => (content as BinaryNode[]).some(({ tag }) => tag === 'keys'))).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(outcomes('given_up')).toBe(0);
  });

  it('are read when their sender repeats them', async () => {
    await room.client.write(BOB, ANN, 'one');
    await until(
      'the text',
      () => room.texts(),
      (texts) => texts.includes('one'),
    );
    // A text is told as soon as it is kept; what the session was then is written beside it.
    const keys = await until(
      'the session',
      async () => (await room.session()).getKeys('session', [`${lidOfBob()}_1.0`]),
      (found) => Object.keys(found).length === 1,
    );
    await room.socket?.close('end');
    await (await room.session()).setKeys({ session: Object.fromEntries(Object.keys(keys).map((key) => [key, null])) });
    await room.login();
    const beganAtMs = performance.now();
    await room.client.write(BOB, ANN, 'two');
    await until(
      'the text',
      () => room.texts(),
      (texts) => texts.includes('two'),
    );

    expect(performance.now() - beganAtMs).toBeLessThan(20_000);
    expect(outcomes('asked')).toBe(1);
  });

  const lidOfBob = () => room.whatsApp.world.accounts.get(BOB)?.lid ?? '';
});

describe('how undecryptable messages are taken from Baileys', () => {
  it('was checked with the version that is installed', () => {
    const { version } = createRequire(import.meta.url)('@whiskeysockets/baileys/package.json') as { version: string };

    // Another one may ask, acknowledge and sleep in another order: read `handleMessage` and `sendRetryRequest` first.
    expect(version).toBe('7.0.0-rc14');
  });
});
