import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareProcess } from '../../../worker/socket/repairs/prepareProcess.ts';
import { until } from '../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from './socketRoom.ts';

describe('the socket room', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
  });
  afterEach(() => room.stop());
  const atBob = async () => (await room.client.messages(BOB)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);

  it('stores the credentials before it says that it is paired, and logs in with them', async () => {
    room.open(await room.session(), { method: 'qr' });
    const { offer } = await room.input('pairing_offered');
    const before = await room.session();
    await room.client.scan(ANN, offer.method === 'qr' ? offer.qr : '');
    const { account } = await room.input('paired');
    const after = await room.session();
    const { close } = await room.input('socket_closed');
    await room.login();

    expect([before.isPaired, after.isPaired]).toEqual([false, true]);
    expect(account.phoneJid).toBe(`${ANN}@s.whatsapp.net`);
    expect(close.statusCode).toBe(515);
    expect((await room.client.stats()).presence[ANN]).not.toBe('available');
  });

  it('pairs by a code', async () => {
    room.open(await room.session(), { method: 'code', phoneNumber: ANN });
    const { offer } = await room.input('pairing_offered');

    await room.client.typeCode(ANN, offer.method === 'code' ? offer.code : '');
    await room.input('paired');
    await room.input('socket_closed');
    await room.login();

    expect(offer.method).toBe('code');
  });

  it('leaves nothing behind when a pairing is given up', async () => {
    const socket = room.open(await room.session(), { method: 'code', phoneNumber: ANN });
    await room.input('pairing_offered');
    await socket.close('end');

    expect((await room.session()).isPaired).toBe(false);
  });

  it('sends, waits for the ack, and publishes delivered and read', async () => {
    await room.pairByQr();

    const { stanzaId, outcome } = await room.send('hello Bob');
    await until('the message', atBob, (texts) => texts.length === 1);
    await room.client.read(BOB, stanzaId);
    const receipts = await until(
      'the receipts',
      () => room.facts.filter((fact) => fact.kind === 'receipt'),
      (facts) => facts.length === 2,
    );

    expect(outcome?.outcome).toBe('acknowledged');
    expect(receipts.map((fact) => [fact.stanzaId, fact.state])).toEqual([
      [stanzaId, 'delivered'],
      [stanzaId, 'read'],
    ]);
  });

  it.each<readonly [what: string, code: number]>([
    ['restricted', 463],
    ['stale device list', 479],
  ])('says with which number a message was refused: %s', async (_what, code) => {
    await room.pairByQr();
    await room.client.fault({ kind: 'nack', code, number: ANN });

    const { outcome } = await room.send('refused');

    expect(outcome).toEqual({ outcome: 'refused', code });
  });

  it('does not know what became of a message whose ack was lost; the same stanza id shows it once', async () => {
    await room.pairByQr();
    await room.client.fault({ kind: 'drop_acks', number: ANN, times: 1 });

    const first = await room.send('once');
    const second = await room.send('once', first.stanzaId);

    expect([first.outcome?.outcome, second.outcome?.outcome]).toEqual(['unknown', 'acknowledged']);
    expect(await atBob()).toEqual(['once']);
  });

  it('says that a number has no account', async () => {
    await room.pairByQr();
    const content = { type: 'text', text: { body: 'nobody' } } as const;

    const outcome = await room.socket?.send({
      stanzaId: '3EB0AA' as never,
      to: '4915199999999@s.whatsapp.net',
      content,
    });

    expect(outcome).toEqual({ outcome: 'no_account' });
  });

  it('publishes what a contact writes, and what the own phone writes', async () => {
    await room.pairByQr();

    await room.client.write(BOB, ANN, 'from Bob');
    await room.client.write(ANN, BOB, 'from my phone');
    await until(
      'both',
      () => room.texts(),
      (texts) => texts.length === 2,
    );

    expect(room.facts.filter(({ kind }) => kind === 'message')).toMatchObject([
      {
        kind: 'message',
        fromMe: false,
        chat: `${BOB}@s.whatsapp.net`,
        sender: `${BOB}@s.whatsapp.net`,
        senderName: 'Bob',
      },
      { kind: 'message', fromMe: true, chat: `${BOB}@s.whatsapp.net`, sender: `${ANN}@s.whatsapp.net` },
    ]);
  });

  it('sends no receipt for what could not be published; it comes again and is read', async () => {
    await room.pairByQr();
    room.publish = () => Promise.reject(new Error('queue is down'));
    const id = await room.client.write(BOB, ANN, 'first contact');
    await room.input('socket_closed');
    const before = (await room.client.messages(BOB)).find((entry) => entry.id === id)?.status;

    room.publish = async () => undefined;
    await room.login();
    await until(
      'the message',
      () => room.texts(),
      (texts) => texts.length === 1,
    );

    expect(room.texts()).toEqual(['first contact']);
    expect(before).toBe('delivered');
    expect((await room.client.stats()).retryRequests).toBe(0);
    await until(
      'an empty queue',
      () => room.client.phones(),
      ([ann]) => ann?.devices[0]?.waiting === 0,
    );
  });

  it('answers a stanza that it has handled with a receipt, without decrypting it again', async () => {
    await room.pairByQr();
    await room.client.write(BOB, ANN, 'one');
    // Answered, so that Bob's next messages are ordinary ones: their repetition would look like a broken session.
    await until(
      'the first',
      () => room.texts(),
      (texts) => texts.length === 1,
    );
    await room.send('yes?');
    const id = await room.client.write(BOB, ANN, 'two');
    await until(
      'both',
      () => room.texts(),
      (texts) => texts.length === 2,
    );

    await room.client.fault({ kind: 'duplicate', number: ANN, times: 1 });
    await room.client.strike({ kind: 'redeliver', id, number: ANN });
    await room.client.write(BOB, ANN, 'three');
    await until(
      'all',
      () => room.texts(),
      (texts) => texts.includes('three'),
    );
    await until(
      'an empty queue',
      () => room.client.phones(),
      ([ann]) => ann?.devices[0]?.waiting === 0,
    );

    expect(room.texts()).toEqual(['one', 'two', 'three']);
    expect(await room.client.stats()).toMatchObject({ retryRequests: 0, undecryptable: 0 });
  });

  it('goes on with its sessions after a restart, and receives what waited in order', async () => {
    await room.pairByQr();
    await room.send('before');
    await room.client.write(BOB, ANN, 'before');
    await until(
      'the first',
      () => room.texts(),
      (texts) => texts.length === 1,
    );
    await room.socket?.close('end');
    const waiting = Array.from({ length: 30 }, (_, index) => `waiting ${index}`);
    for (const text of waiting) await room.client.write(BOB, ANN, text);

    await room.login();
    await until(
      'the backlog',
      () => room.texts(),
      (texts) => texts.length === 31,
    );
    await room.send('after');

    expect(room.texts()).toEqual(['before', ...waiting]);
    expect(await atBob()).toEqual(['before', 'after']);
    expect(await room.client.stats()).toMatchObject({ retryRequests: 0, undecryptable: 0, overlap: 0, replaced: 0 });
  });

  it('finishes the stanza in hand when it is closed, and leaves those behind it to the next socket', async () => {
    await room.pairByQr();
    const held = Promise.withResolvers<void>();
    let published = 0;
    room.publish = () => {
      published += 1;
      return held.promise;
    };
    for (const text of ['in hand', 'behind it', 'last']) await room.client.write(BOB, ANN, text);
    await until(
      'the first',
      () => published,
      (count) => count === 1,
    );

    const closed = room.socket?.close('end');
    held.resolve();
    await closed;
    const before = [...room.texts()];
    await room.login();
    await until(
      'the rest',
      () => room.texts(),
      (texts) => texts.length === 3,
    );

    expect(before).toEqual(['in hand']);
    expect(room.texts()).toEqual(['in hand', 'behind it', 'last']);
    expect(await room.client.stats()).toMatchObject({ retryRequests: 0, undecryptable: 0, refusals: {} });
  });

  it('tells a removed device from a replaced one that carry the same number', async () => {
    await room.pairByQr();
    await room.client.strike({ kind: 'stream_error', child: 'conflict', type: 'device_removed', number: ANN });
    const removed = await room.input('socket_closed');
    await room.login();
    await room.client.strike({ kind: 'stream_error', child: 'conflict', type: 'replaced', number: ANN });
    const replaced = await room.input('socket_closed');

    expect([removed.close, replaced.close]).toEqual([
      { statusCode: 440, node: 'device_removed', wasLogin: true },
      { statusCode: 440, node: 'replaced', wasLogin: true },
    ]);
  });

  it('refuses a server whose certificate another authority has signed', async () => {
    prepareProcess({ rootKey: randomBytes(32) });

    room.open(await room.session(), { method: 'qr' });
    const { close } = await room.input('socket_closed');

    expect(close.statusCode).toBe(400);
    expect(room.inputs.map(({ type }) => type)).toEqual(['socket_closed']);
  });

  it('unlinks the device when it logs out', async () => {
    await room.pairByQr();

    await room.socket?.close('logout');

    const [ann] = await room.client.phones();
    expect(ann?.devices).toEqual([]);
  });
});
