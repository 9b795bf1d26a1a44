import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { played } from '../sample.ts';
import { WhatsAppClient } from './client.ts';
import type { Fault, Strike } from './faults.ts';
import {
  codeOf,
  isClosed,
  isOpen,
  openPlainSocket,
  PlainAccount,
  pairByQr,
  textsOf,
  type PlainSocket,
} from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { assertSound } from './sockets.ts';
import { startWhatsApp, type WhatsAppSimulator } from './simulator.ts';
import { until } from './until.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
const LATENCY_MS = 500;

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
    assertSound(whatsApp);
  });

  // docs/whatsapp.md, "What Baileys reports".
  const strikes: readonly (readonly [what: string, strike: Strike, code: number])[] = [
    ['conflict replaced', { kind: 'stream_error', child: 'conflict', type: 'replaced' }, 440],
    ['401 device removed', { kind: 'stream_error', code: 401, child: 'conflict', type: 'device_removed' }, 401],
    ['device removed without a code', { kind: 'stream_error', child: 'conflict', type: 'device_removed' }, 440],
    ['stream error 500', { kind: 'stream_error', code: 500 }, 500],
    ['stream error 503', { kind: 'stream_error', code: 503 }, 503],
    ['stream error 515', { kind: 'stream_error', code: 515 }, 515],
    ['stream error without a code', { kind: 'stream_error', child: 'xml-not-well-formed' }, 500],
    ['stream error ack', { kind: 'stream_error', child: 'ack' }, 500],
    ['stream error that is unknown', { kind: 'stream_error' }, 500],
    ['failure 401', { kind: 'failure', reason: 401 }, 401],
    ['failure 403', { kind: 'failure', reason: 403 }, 403],
    ['failure 405', { kind: 'failure', reason: 405 }, 405],
    ['failure 503', { kind: 'failure', reason: 503 }, 503],
    ['failure without a reason', { kind: 'failure' }, 500],
    ['end of stream', { kind: 'stream_end' }, 428],
    ['plain close', { kind: 'close' }, 428],
  ];
  it.each(played(strikes, 3))('%s closes the socket with its code', async (_what, strike, code) => {
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
    await until(
      'the end of the first login',
      () => whatsApp.logins.socketsOf(ANN).length,
      (count) => count === 0,
    );
    await client.fault({ kind: 'no_success', number: ANN, times: 1 });

    const socket = connect();
    await until(
      'the login',
      () => whatsApp.logins.socketsOf(ANN).length,
      (count) => count === 1,
    );
    // Pings are answered, which is why Baileys never gives up by itself.
    const pings = ['w:p', 'w:p'].map((xmlns) =>
      socket.socket.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns } }),
    );
    const answers = await Promise.all(pings);

    expect(answers.map((answer: { readonly tag: string }) => answer.tag)).toEqual(['iq', 'iq']);
    expect(socket.updates.some((update) => isOpen(update) || isClosed(update))).toBe(false);
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

  it('tells of each login when it opened and when its socket closed', async () => {
    await client.strike({ kind: 'close', number: ANN });
    await paired.until('the close', isClosed);
    await connect().until('open', isOpen);
    const { spans, logins } = await client.stats();

    const [first, second, ...more] = spans[ANN] ?? [];
    expect(logins[ANN]).toEqual([first?.openedAt, second?.openedAt]);
    expect(first?.closedAt).toBeGreaterThanOrEqual(first?.openedAt ?? Infinity);
    expect(second?.openedAt).toBeGreaterThanOrEqual(first?.closedAt ?? Infinity);
    expect([second?.closedAt, more]).toEqual([undefined, []]);
  });

  it('a frozen socket that sends after it was replaced is an overlap, and nothing of it is delivered', async () => {
    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'before' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.length === 1,
    );
    const { socket: webSocket } = paired.socket.ws as unknown as { readonly socket: { readonly pause: () => void } };
    webSocket.pause();
    await connect().until('open', isOpen);

    await paired.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'too late' });
    const stats = await until(
      'the late message',
      () => client.stats(),
      ({ overlap }) => overlap > 0,
    );

    expect([stats.overlap, stats.replaced, stats.conflicts[ANN]?.length]).toEqual([1, 1, 1]);
    expect(await client.messages(BOB)).toHaveLength(1);
  });

  it.each<readonly [what: string, before: Fault[], after: Strike[]]>([
    ['redelivered', [], [{ kind: 'redeliver', id: 'ID', number: ANN }]],
    ['delivered twice', [{ kind: 'duplicate', number: ANN, times: 1 }], []],
  ])('a message that is %s is shown once: Baileys refuses the copy', async (_what, before, after) => {
    for (const fault of before) await client.fault(fault);
    const id = await client.write(BOB, ANN, 'once');
    await until(
      'the message',
      () => textsOf(paired),
      (texts) => texts.length === 1,
    );
    for (const strike of after) await client.strike({ ...strike, id } as Strike);
    const stats = await until(
      'the refusal',
      () => client.stats(),
      ({ refusals }) => refusals['487'] !== undefined,
    );

    expect(stats.refusals).toEqual({ 487: 1 });
    expect(textsOf(paired)).toEqual(['once']);
    await until(
      'an empty queue',
      () => client.phones(),
      (phones) => phones[0]?.devices[0]?.waiting === 0,
    );
  });

  it('latency delays stanzas both ways, side by side and in order', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `late ${index}`);
    await client.fault({ kind: 'latency', ms: LATENCY_MS, number: ANN });

    const startedAt = performance.now();
    await paired.socket.query({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });
    const roundTripMs = performance.now() - startedAt;
    for (const text of texts) await client.write(BOB, ANN, text);
    const sentAt = performance.now();
    await until(
      'all of them',
      () => textsOf(paired),
      (seen) => seen.length === texts.length,
    );

    expect(roundTripMs).toBeGreaterThan(2 * LATENCY_MS - 5);
    // One after the other, they would take this long on a machine that costs no time at all.
    expect(performance.now() - sentAt).toBeLessThan(LATENCY_MS * texts.length);
    expect(textsOf(paired)).toEqual(texts);
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
});
