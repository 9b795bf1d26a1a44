import type { SignalKeyStore } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEVICE_LIST_LIFE_MS, DeviceLists } from '../../../../worker/socket/sending/deviceLists.ts';
import { PlainAccount, pairByQr, textsOf } from '../../../whatsapp/plainSocket.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

const bobsDevices = [{ user: BOB, device: 0, server: 's.whatsapp.net' }];

describe('device lists', () => {
  const START_MS = 1_000_000;
  let nowMs: number;
  let stored: Map<string, unknown>;
  let lists: DeviceLists;
  beforeEach(() => {
    nowMs = START_MS;
    stored = new Map();
    lists = new DeviceLists({ keys: keysIn(stored), nowMs: () => nowMs });
  });

  it('are believed until they are a day old', async () => {
    await lists.set(BOB, bobsDevices);

    nowMs = START_MS + DEVICE_LIST_LIFE_MS - 1;
    const lastMoment = await lists.get(BOB);
    nowMs = START_MS + DEVICE_LIST_LIFE_MS;
    const tooLate = await lists.get(BOB);

    expect(lastMoment).toEqual(bobsDevices);
    expect(tooLate).toBeUndefined();
  });

  it('leave out whom they do not know', async () => {
    await lists.mset([{ key: BOB, value: bobsDevices }]);

    expect(await lists.mget([BOB, 'nobody'])).toEqual({ [BOB]: bobsDevices });
  });

  it('are not believed any more after a flush, until they are learned again', async () => {
    await lists.set(BOB, bobsDevices);
    lists.flushAll();

    const flushed = await lists.get(BOB);
    nowMs += 1;
    await lists.set(BOB, bobsDevices);

    expect(flushed).toBeUndefined();
    expect(await lists.get(BOB)).toEqual(bobsDevices);
  });

  it('are dropped for a recipient and for the own account when WhatsApp finds one stale', async () => {
    for (const user of [BOB, ANN, '900001', 'carl']) await lists.set(user, bobsDevices);

    await lists.dropFor(`${BOB}@s.whatsapp.net`, [`${ANN}@s.whatsapp.net`, '900001@lid', undefined]);

    expect(await lists.mget([BOB, ANN, '900001', 'carl'])).toEqual({ carl: bobsDevices });
  });

  it('are dropped for the members of a group that have its sender key', async () => {
    for (const user of ['900002', '900003', 'carl']) await lists.set(user, bobsDevices);
    stored.set('sender-key-memory/1@g.us', { '900002:0@lid': true, '900002:3@lid': true, '900003@lid': true });

    await lists.dropFor('1@g.us', []);

    expect(await lists.mget(['900002', '900003', 'carl'])).toEqual({ carl: bobsDevices });
  });
});

describe('device lists of an account', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());
  const asked = async () => {
    const { deviceQueries, keyFetches } = await room.client.stats();
    return { deviceQueries, keyFetches };
  };
  const atBob = async () => (await room.client.messages(BOB)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);

  it('outlive a restart: for a known contact nothing is asked, neither devices nor keys', async () => {
    await room.send('before');
    const first = await asked();

    await room.socket?.close('end');
    await room.login();
    await room.send('after');

    expect(first.deviceQueries).toBeGreaterThan(0);
    expect(first.keyFetches).toBeGreaterThan(0);
    expect(await asked()).toEqual(first);
    expect(await atBob()).toEqual(['before', 'after']);
  });

  it('are asked for again when WhatsApp calls them stale, and the message is sent once more', async () => {
    await room.send('one');
    const { deviceQueries } = await asked();
    await room.client.fault({ kind: 'nack', code: 479, number: ANN, times: 1 });

    const { outcome } = await room.send('two');

    expect(outcome?.outcome).toBe('acknowledged');
    expect((await asked()).deviceQueries).toBe(deviceQueries + 1);
    expect(await atBob()).toEqual(['one', 'two']);
    expect(await room.client.stats()).toMatchObject({ resent: 0, undecryptable: 0 });
  });

  it('learn of a new device by notice, also after a restart, without asking', async () => {
    await room.send('one');
    await room.socket?.close('end');
    const companion = await pairByQr(new PlainAccount(), room.whatsApp, (qr) => room.client.scan(BOB, qr));
    const { deviceQueries } = await asked();

    await room.login();
    await until(
      'the notice',
      () => room.client.phones(),
      (phones) => phones.find(({ number }) => number === ANN)?.devices[0]?.waiting === 0,
    );
    await room.send('two');
    const texts = await until(
      'the message at the new device',
      () => textsOf(companion),
      (found) => found.length > 0,
    );
    companion.close();

    expect(texts).toEqual(['two']);
    expect((await asked()).deviceQueries).toBe(deviceQueries);
  });

  it('of the own account is asked for again when it gets another device, which then sees what is sent', async () => {
    await room.send('one');
    const companion = await pairByQr(new PlainAccount(), room.whatsApp, (qr) => room.client.scan(ANN, qr));
    await until(
      'the notice',
      () => room.client.phones(),
      (phones) => phones.find(({ number }) => number === ANN)?.devices[0]?.waiting === 0,
    );

    await room.send('two');
    const texts = await until(
      'the copy at the new device',
      () => textsOf(companion),
      (found) => found.length > 0,
    );
    companion.close();

    expect(texts).toEqual(['two']);
  });
});

/** A key store in memory. */
function keysIn(stored: Map<string, unknown>): SignalKeyStore {
  const store = {
    get: async (type: string, ids: readonly string[]) =>
      Object.fromEntries(
        ids.flatMap((id) => (stored.has(`${type}/${id}`) ? [[id, stored.get(`${type}/${id}`)] as const] : [])),
      ),
    set: async (values: Readonly<Record<string, Readonly<Record<string, unknown>>>>) => {
      for (const [type, entries] of Object.entries(values)) {
        for (const [id, value] of Object.entries(entries)) {
          if (value === null) stored.delete(`${type}/${id}`);
          else stored.set(`${type}/${id}`, value);
        }
      }
    },
  };
  return store as unknown as SignalKeyStore;
}
