import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WhatsAppClient } from './client.ts';
import {
  isCaughtUp,
  isClosed,
  codeOf,
  openPlainSocket,
  PlainAccount,
  pairByQr,
  type PlainSocket,
} from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { assertSound } from './sockets.ts';
import { startWhatsApp, type WhatsAppSimulator } from './simulator.ts';
import { until } from './until.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';

const textOf = (socket: PlainSocket): readonly (string | null | undefined)[] =>
  socket.received.map(({ message }) => message?.conversation ?? message?.extendedTextMessage?.text);

describe('conversations of real Baileys sockets through the simulator', () => {
  let whatsApp: WhatsAppSimulator;
  let client: WhatsAppClient;
  const open: PlainSocket[] = [];
  const folders: string[] = [];
  beforeEach(async () => {
    whatsApp = await startWhatsApp();
    client = new WhatsAppClient(whatsApp.controlUrl);
    await client.addPhone(ANN, 'Ann');
    await client.addPhone(BOB, 'Bob');
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    await whatsApp.stop();
    assertSound(whatsApp);
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const pair = async (number: string, account = new PlainAccount()): Promise<PlainSocket> => {
    const socket = await pairByQr(account, whatsApp, (qr) => client.scan(number, qr));
    open.push(socket);
    return socket;
  };

  it('pair by QR, survive the restart, and chat both ways', async () => {
    const [ann, bob] = [await pair(ANN), await pair(BOB)];

    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'hello Bob' });
    await until(
      'the first message',
      () => textOf(bob),
      (texts) => texts.includes('hello Bob'),
    );
    await bob.socket.sendMessage(`${ANN}@s.whatsapp.net`, { text: 'hello Ann' });
    await until(
      'the answer',
      () => textOf(ann),
      (texts) => texts.includes('hello Ann'),
    );

    const phone = await client.messages(BOB);
    expect(phone.map(({ text, fromMe, copies }) => [text, fromMe, copies])).toEqual([
      ['hello Bob', false, 1],
      ['hello Ann', true, 1],
    ]);
    expect(await client.stats()).toMatchObject({ undecryptable: 0, replaced: 0, overlap: 0, resent: 0 });
  });

  it('pair by a code that is typed into the phone', async () => {
    const account = new PlainAccount();
    const first = openPlainSocket(account, whatsApp);
    open.push(first);
    await first.until('registration', (update) => update.qr !== undefined);
    const code = await first.socket.requestPairingCode(ANN);

    const { device } = await client.typeCode(ANN, code);

    expect(device).toBe(1);
    await first.until('the restart', (update) => isClosed(update) && codeOf(update) === 515);
    const second = openPlainSocket(account, whatsApp);
    open.push(second);
    await second.until('the end of the offline queue', isCaughtUp);
    await second.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'by code' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.some(({ text }) => text === 'by code'),
    );
  });

  it('refuse a wrong code', async () => {
    const first = openPlainSocket(new PlainAccount(), whatsApp);
    open.push(first);
    await first.until('registration', (update) => update.qr !== undefined);
    await first.socket.requestPairingCode(ANN);

    await expect(client.typeCode(ANN, 'AAAABBBB')).rejects.toThrow(/code/);
  });

  it('see their messages delivered and read by a phone, and receive what it writes', async () => {
    const ann = await pair(ANN);
    const receipts: (string | undefined)[] = [];
    ann.socket.ws.on('CB:receipt', ({ attrs }: { attrs: Record<string, string> }) => receipts.push(attrs['type']));

    const sent = await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'are you there?' });
    await until(
      'delivered',
      () => receipts.length,
      (count) => count === 1,
    );
    await client.read(BOB, sent?.key.id ?? '');
    await until(
      'read',
      () => receipts.length,
      (count) => count === 2,
    );
    const id = await client.write(BOB, ANN, 'yes');
    await until(
      'the answer',
      () => textOf(ann),
      (texts) => texts.includes('yes'),
    );

    expect(receipts).toEqual([undefined, 'read']);
    await until(
      'delivered at the phone',
      () => client.messages(BOB),
      (messages) => messages.some((entry) => entry.id === id && entry.status === 'delivered'),
    );
  });

  it('receive what waited while they were away, exactly once', async () => {
    const account = new PlainAccount();
    const first = await pair(ANN, account);
    first.close();
    const texts = Array.from({ length: 20 }, (_, index) => `waiting ${index}`);
    for (const text of texts) await client.write(BOB, ANN, text);

    const second = openPlainSocket(account, whatsApp);
    open.push(second);
    await second.until('the end of the offline queue', isCaughtUp);
    await until(
      'the backlog',
      () => textOf(second),
      (seen) => seen.length >= texts.length,
    );

    expect(textOf(second)).toEqual(texts);
    await until(
      'an empty queue',
      () => client.phones(),
      (phones) => phones[0]?.devices[0]?.waiting === 0,
    );
  });

  it('are still linked after the simulator was restarted on the same folder', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'whatsapp-'));
    folders.push(stateDir);
    await whatsApp.stop();
    whatsApp = await startWhatsApp({ stateDir });
    client = new WhatsAppClient(whatsApp.controlUrl);
    await client.addPhone(ANN, 'Ann');
    await client.addPhone(BOB, 'Bob');
    const account = new PlainAccount();
    const first = await pair(ANN, account);
    await first.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'before' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.length === 1,
    );
    first.close();
    await client.write(BOB, ANN, 'while you were away');
    await whatsApp.stop();

    whatsApp = await startWhatsApp({ stateDir });
    client = new WhatsAppClient(whatsApp.controlUrl);
    const second = openPlainSocket(account, whatsApp);
    open.push(second);
    await second.until('the end of the offline queue', isCaughtUp);
    await until(
      'the backlog',
      () => textOf(second),
      (texts) => texts.includes('while you were away'),
    );
    await second.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'after' });
    await until(
      'the message',
      () => client.messages(BOB),
      (messages) => messages.some(({ text }) => text === 'after'),
    );

    expect(await client.stats()).toMatchObject({ undecryptable: 0 });
  });
});
