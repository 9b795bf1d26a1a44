import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isCaughtUp, isOpen, openPlainSocket, PlainAccount, type PlainSocket } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { startWhatsApp, type WhatsAppSimulator } from './simulator.ts';
import { WhatsAppClient } from './client.ts';
import { pairByQr } from './plainSocket.ts';
import { until } from './until.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB_JID = '4915100000002@s.whatsapp.net';
const ID = '3EB0C767D097B7B3E5D1';
const star = (starred = true) => ({ index: ['star', BOB_JID, ID, '0', '0'], value: { starAction: { starred } } });

describe('the state that the devices of an account share', () => {
  let whatsApp: WhatsAppSimulator;
  let client: WhatsAppClient;
  let plain: PlainSocket;
  let account: PlainAccount;
  const starred: unknown[] = [];
  const listen = (): void => {
    plain.socket.ev.on('messages.update', (updates) => starred.push(...updates.map(({ update }) => update.starred)));
  };
  beforeAll(async () => {
    whatsApp = await startWhatsApp();
    client = new WhatsAppClient(whatsApp.controlUrl);
    await client.addPhone(ANN, 'Ann');
    account = new PlainAccount();
    plain = await pairByQr(account, whatsApp, (qr) => client.scan(ANN, qr));
    listen();
    await client.shareAppStateKey(ANN, 1);
    await until(
      'the key',
      () => account.creds.myAppStateKeyId,
      (id) => id !== undefined,
    );
  });
  afterAll(async () => {
    plain.close();
    await whatsApp.stop();
  });

  it('is written by a client of Baileys, and the phone finds every MAC right', async () => {
    await plain.socket.chatModify({ markRead: false, lastMessages: [] }, BOB_JID);
    await plain.socket.chatModify({ markRead: true, lastMessages: [] }, BOB_JID);

    const { entries, failures, versions } = await client.appState(ANN);
    expect(failures).toEqual([]);
    expect(versions).toMatchObject({ regular_low: 2 });
    expect(entries).toMatchObject([
      {
        collection: 'regular_low',
        index: ['markChatAsRead', BOB_JID],
        value: { markChatAsReadAction: { read: true } },
        by: 1,
      },
    ]);
  });

  it('is changed on the phone, and the client hears of it', async () => {
    // Without a version of its own it would ask for a snapshot, and look for it at WhatsApp.
    await plain.socket.chatModify({ mute: null }, BOB_JID);
    await client.changeAppState(ANN, { collection: 'regular_high', changes: [star()] });
    await until(
      'the star',
      () => starred,
      (all) => all.includes(true),
    );

    await client.changeAppState(ANN, { collection: 'regular_high', changes: [star(false)] });

    await until(
      'its end',
      () => starred,
      (all) => all.includes(false),
    );
    expect((await client.phones())[0]?.devices[0]?.waiting).toBe(0);
  });

  it('conflicts where another device was faster: the newer patches come with the refusal', async () => {
    await client.fault({ kind: 'app_state_race', number: ANN, times: 1 });
    const before = (await client.appState(ANN)).versions['regular_low'] ?? 0;

    // Baileys takes the refusal for success: nothing of its patch is there.
    await plain.socket.chatModify({ markRead: false, lastMessages: [] }, BOB_JID);

    const { versions, entries, failures } = await client.appState(ANN);
    expect(versions['regular_low']).toBe(before + 1);
    expect(entries).toContainEqual(expect.objectContaining({ index: ['race', '1'], by: 0 }));
    expect(failures).toEqual([]);
  });

  it('comes with everything that waited, after a login', async () => {
    plain.close();
    for (let at = 0; at < 12; at += 1) {
      await client.changeAppState(ANN, { collection: 'regular_high', changes: [star(at % 2 === 0)] });
    }
    starred.length = 0;

    plain = openPlainSocket(account, whatsApp);
    listen();
    await plain.until('open', isOpen);
    await plain.until('the end of the offline queue', isCaughtUp);

    await until(
      'the last',
      () => starred,
      (all) => all.includes(false),
    );
    expect((await client.appState(ANN)).versions['regular_high']).toBe(15);
  });
});

describe('a phone that gives the keys of what devices share by itself', () => {
  it('does so when a device is linked, so that the device can change what they share', async () => {
    const whatsApp = await startWhatsApp({ givesKeys: true });
    const client = new WhatsAppClient(whatsApp.controlUrl);
    await client.addPhone(ANN, 'Ann');
    const account = new PlainAccount();
    const plain = await pairByQr(account, whatsApp, (qr) => client.scan(ANN, qr));
    await until(
      'the key',
      () => account.creds.myAppStateKeyId,
      (id) => id !== undefined,
    );

    await plain.socket.chatModify({ markRead: false, lastMessages: [] }, BOB_JID);

    expect((await client.appState(ANN)).entries).toMatchObject([{ index: ['markChatAsRead', BOB_JID] }]);
    plain.close();
    await whatsApp.stop();
  });
});
