import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WhatsAppClient } from './client.ts';
import type { Fault, Strike } from './faults.ts';
import { codeOf, isClosed, isOpen, openPlainSocket, PlainAccount, pairByQr, type PlainSocket } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { startWhatsApp, type WhatsAppSimulator } from './simulator.ts';
import { until } from './until.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';

describe('fault knobs, seen by a real Baileys socket', () => {
  let whatsApp: WhatsAppSimulator;
  let client: WhatsAppClient;
  let account: PlainAccount;
  let paired: PlainSocket;
  const open: PlainSocket[] = [];
  const connect = (): PlainSocket => {
    const socket = openPlainSocket(account, whatsApp);
    open.push(socket);
    return socket;
  };
  beforeEach(async () => {
    whatsApp = await startWhatsApp();
    client = new WhatsAppClient(whatsApp.controlUrl);
    await client.addPhone(ANN, 'Ann');
    await client.addPhone(BOB, 'Bob');
    account = new PlainAccount();
    paired = await pairByQr(account, whatsApp, (qr) => client.scan(ANN, qr));
    open.push(paired);
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    await whatsApp.stop();
  });

  // What Baileys reports for what the server does: simulator facts §1.
  it.each<readonly [what: string, strike: Strike, code: number]>([
    ['conflict replaced', { kind: 'stream_error', child: 'conflict', type: 'replaced' }, 440],
    ['401 device removed', { kind: 'stream_error', code: 401, child: 'conflict', type: 'device_removed' }, 401],
    ['device removed without a code', { kind: 'stream_error', child: 'conflict', type: 'device_removed' }, 440],
    ['stream error 500', { kind: 'stream_error', code: 500 }, 500],
    ['stream error 503', { kind: 'stream_error', code: 503 }, 503],
    ['stream error 515', { kind: 'stream_error', code: 515 }, 515],
    ['stream error without a code', { kind: 'stream_error', child: 'xml-not-well-formed' }, 500],
    ['failure 401', { kind: 'failure', reason: 401 }, 401],
    ['failure 403', { kind: 'failure', reason: 403 }, 403],
    ['failure 405', { kind: 'failure', reason: 405 }, 405],
    ['failure without a reason', { kind: 'failure' }, 500],
    ['end of stream', { kind: 'stream_end' }, 428],
    ['plain close', { kind: 'close' }, 428],
  ])('%s closes the socket with its code', async (_what, strike, code) => {
    const hit = await client.strike({ ...strike, number: ANN });
    const closed = await paired.until('the close', isClosed);

    expect([hit, codeOf(closed)]).toEqual([1, code]);
  });

  it.each<readonly [what: string, fault: Fault, code: number]>([
    ['refused login 401', { kind: 'refuse_login', reason: 401, number: ANN, times: 1 }, 401],
    ['refused login 503', { kind: 'refuse_login', reason: 503, number: ANN, times: 1 }, 503],
    ['no WebSocket upgrade', { kind: 'no_upgrade', times: 1 }, 408],
    ['no Noise hello', { kind: 'no_hello', times: 1 }, 408],
    ['silence after login', { kind: 'silent', number: ANN, times: 1 }, 408],
  ])('%s ends the login with its code', async (_what, fault, code) => {
    paired.close();
    await client.fault(fault);

    const closed = await connect().until('the close', isClosed);

    expect(codeOf(closed)).toBe(code);
  });

  it('no success leaves the socket neither open nor closed', async () => {
    paired.close();
    await client.fault({ kind: 'no_success', number: ANN, times: 1 });

    const socket = connect();
    await until(
      'the login',
      () => whatsApp.logins.socketsOf(ANN).length,
      (count) => count === 1,
    );
    await until(
      'a ping that is answered',
      () => client.stats(),
      ({ sockets }) => sockets >= 3,
    );

    await expect(Promise.race([socket.until('open', isOpen), Promise.resolve('still waiting')])).resolves.toBe(
      'still waiting',
    );
  });

  it('a removed device is told at once and refused later', async () => {
    await client.removeDevice(ANN, 1);
    const closed = await paired.until('the close', isClosed);
    const refused = await connect().until('the refusal', isClosed);

    expect([codeOf(closed), codeOf(refused)]).toEqual([401, 401]);
  });

  it('a second login of the same device replaces the first, and is counted', async () => {
    const second = connect();
    await second.until('open', isOpen);
    const closed = await paired.until('the close', isClosed);

    expect(codeOf(closed)).toBe(440);
    expect(await client.stats()).toMatchObject({ replaced: 1, overlap: 0 });
  });

  it('a nack stands in the ack, and nothing is delivered', async () => {
    await client.fault({ kind: 'nack', code: 463, number: ANN, times: 1 });
    const acks: (string | undefined)[] = [];
    paired.socket.ws.on('CB:ack,class:message', ({ attrs }: { attrs: Record<string, string> }) =>
      acks.push(attrs['error']),
    );

    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'refused' });
    await until(
      'the ack',
      () => acks,
      (seen) => seen.length === 1,
    );

    expect(acks).toEqual(['463']);
    expect(await client.messages(BOB)).toEqual([]);
  });

  it('a dropped ack does not stop the delivery', async () => {
    await client.fault({ kind: 'drop_acks', number: ANN, times: 1 });
    const acks: unknown[] = [];
    paired.socket.ws.on('CB:ack,class:message', (ack: unknown) => acks.push(ack));

    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'unacknowledged' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.length === 1,
    );

    expect(acks).toEqual([]);
  });

  it('dropped receipts leave a message as it is', async () => {
    await client.fault({ kind: 'drop_receipts', number: ANN, times: 1 });
    const receipts: unknown[] = [];
    paired.socket.ws.on('CB:receipt', (receipt: unknown) => receipts.push(receipt));

    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'no receipt' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.length === 1,
    );

    expect(receipts).toEqual([]);
  });

  it('a repeated stanza id is counted and shown once', async () => {
    const messageId = '3EB0AAAAAAAAAAAAAAAAAA';

    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'once' }, { messageId });
    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'once' }, { messageId });
    const [message] = await until(
      'both copies',
      () => client.messages(BOB),
      ([first]) => first?.copies === 2,
    );

    expect(message?.text).toBe('once');
    expect(await client.stats()).toMatchObject({ resent: 1, shown: { [BOB]: 1 } });
  });

  it('a query can fail or hang', async () => {
    const ask = (xmlns: string) =>
      paired.socket.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns }, content: [] }, 300);
    await client.fault({ kind: 'iq_error', xmlns: 'w:test', code: 429, times: 1 });
    await client.fault({ kind: 'iq_hang', xmlns: 'w:other', times: 1 });

    await expect(ask('w:test')).rejects.toThrow('simulated');
    await expect(ask('w:other')).rejects.toThrow('Timed Out');
    await expect(ask('w:other')).resolves.toMatchObject({ tag: 'iq' });
  });

  it.each([
    ['no such route', 'GET', '/nothing', undefined, 404],
    ['a number that is none', 'POST', '/phones', { number: 'abc', name: 'X' }, 400],
    ['an unknown field', 'POST', '/phones', { number: '4915100000009', colour: 'red' }, 400],
    ['a phone that is not there', 'POST', '/phones/4915199999999/messages', { to: ANN, text: 'x' }, 404],
    ['a QR text that is unknown', 'POST', `/phones/${ANN}/link`, { qr: '2@nothing,a,b,c' }, 409],
    ['a device that is not there', 'DELETE', `/phones/${ANN}/devices/9`, undefined, 404],
    ['an unknown fault', 'POST', '/faults', { kind: 'earthquake' }, 400],
  ])('%s gets a clear answer', async (_what, method, path, body, status) => {
    const response = await fetch(`${whatsApp.controlUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error.length).toBeGreaterThan(10);
  });
});
