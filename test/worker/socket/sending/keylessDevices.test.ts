import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

silenceConsole();
const MALLORY = '4915100000003';
const jid = (number: string): string => `${number}@s.whatsapp.net`;

/** Ann is ours, Bob a contact, and Mallory has a client of his own: what he gives WhatsApp as the keys of a device is his choice. */
describe('a device with which nobody can make a session', () => {
  let room: SocketRoom;
  let group = '';
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(MALLORY, 'Mallory');
    await room.pairByQr();
    group = (await room.client.addGroup(BOB, 'All', [ANN, MALLORY])).id;
  });
  afterEach(() => room.stop());

  const mallory = () => {
    const account = room.whatsApp.world.accounts.get(MALLORY);
    if (account === undefined) throw new Error('nobody is there');
    return account;
  };
  type Device = NonNullable<ReturnType<ReturnType<typeof mallory>['devices']['get']>>;
  const textsOf = async (number: string): Promise<readonly unknown[]> =>
    (await room.client.messages(number)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);

  const link = (device: Partial<Device>, id = 7): void => {
    const { identity, signedPreKey, preKey, registrationId } = mallory().phone.takeBundle();
    const preKeys = preKey === undefined ? [] : [preKey];
    const common = { number: MALLORY, id, noiseKey: randomBytes(32), logins: 1, pending: [] };
    mallory().devices.set(id, { ...common, identity, signedPreKey, preKeys, registrationId, ...device });
  };
  const signedBy = (signature: Uint8Array) => ({ id: 1, value: randomBytes(32), signature });

  it.each<readonly [string, () => void]>([
    ['a signature that is too short', () => link({ signedPreKey: signedBy(randomBytes(3)) })],
    ['no identity', () => link({ identity: Buffer.alloc(0) })],
    ['a key for one session that is none', () => link({ preKeys: [{ id: 1, value: randomBytes(5) }] })],
    [
      'nothing at all: WhatsApp answers 404',
      () => {
        link({});
        const { devices } = mallory();
        const get = devices.get.bind(devices);
        devices.get = (id) => (id === 7 ? undefined : get(id));
      },
    ],
  ])('costs its owner alone: %s', async (_what, hasKeys) => {
    hasKeys();

    const outcomes = [
      await room.send('one', undefined, group),
      await room.send('two', undefined, group),
      await room.send('to the phone', undefined, jid(MALLORY)),
    ].map((sent) => sent?.outcome);
    expect(outcomes).toMatchObject([
      { outcome: 'acknowledged' },
      { outcome: 'acknowledged' },
      { outcome: 'acknowledged' },
    ]);
    await until(
      'both texts at Bob',
      () => textsOf(BOB),
      ({ length }) => length === 2,
    );
    await until(
      'all texts at the phone',
      () => textsOf(MALLORY),
      ({ length }) => length === 3,
    );
  });

  it('holds up no group of which all others have the key already, and ends what is written to it alone', async () => {
    const { phone } = mallory();
    const bundle = phone.takeBundle();
    phone.takeBundle = () => ({ ...bundle, signedPreKey: signedBy(randomBytes(3)) });

    const outcomes = [
      await room.send('one', undefined, group),
      await room.send('two', undefined, group),
      await room.send('to nobody', undefined, jid(MALLORY)),
    ].map((sent) => sent?.outcome);
    await until(
      'both texts at Bob',
      () => textsOf(BOB),
      ({ length }) => length === 2,
    );

    expect(outcomes).toMatchObject([
      { outcome: 'acknowledged' },
      { outcome: 'acknowledged' },
      { outcome: 'look_up_refused', lookUp: 'keys' },
    ]);
  });
});
