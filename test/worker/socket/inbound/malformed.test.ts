import { encodeWAMessage } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { node, stamp } from '../../../whatsapp/node.ts';
import { takeBundle } from '../../../whatsapp/queries.ts';
import { until } from '../../../whatsapp/until.ts';
import { jidOf, WHATSAPP } from '../../../whatsapp/world.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

const GARBAGE = Buffer.from('this is no message of the protocol');

/** What a contact with a client of his own can send: sealed as it should be, and nonsense inside. */
describe('a sealed message with nonsense in it', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  /** Bob's phone seals bytes of the test's choosing for the linked device. */
  async function sendFromBob(id: string, plaintext: Uint8Array): Promise<void> {
    const { world, relay } = room.whatsApp;
    const [ann, bob] = [world.accounts.get(ANN), world.accounts.get(BOB)];
    const device = ann === undefined ? undefined : [...ann.devices.keys()][0];
    if (ann === undefined || bob === undefined || device === undefined) throw new Error('nobody is there');
    const jid = jidOf(ann, device, 'lid');
    const sealed = await bob.phone.seal(jid, plaintext, () => takeBundle(world, jid));
    const attrs = { id, from: jidOf(bob, 0, WHATSAPP), type: 'text', t: stamp(), sender_lid: jidOf(bob, 0, 'lid') };
    const enc = node('enc', { v: '2', type: sealed?.type ?? '' }, sealed?.ciphertext);
    relay.route({ account: ann, device, stanza: node('message', attrs, [enc]) });
  }

  it.each<readonly [what: string, plaintext: Uint8Array]>([
    ['padding that is none', Buffer.concat([GARBAGE, Buffer.from([255])])],
    ['content that is none', Buffer.concat([GARBAGE, Buffer.from([1])])],
    [
      'a sender key that is none',
      encodeWAMessage({
        senderKeyDistributionMessage: { groupId: '1@g.us', axolotlSenderKeyDistributionMessage: GARBAGE },
      }),
    ],
  ])('does not stop what comes after it: %s', async (_what, plaintext) => {
    const opened = room.inputs.filter(({ type }) => type === 'socket_opened').length;

    await sendFromBob('3A00NONSENSE', plaintext);
    await room.client.write(BOB, ANN, 'after it');
    await until(
      'the message after it',
      () => room.texts(),
      (texts) => texts.includes('after it'),
    );
    await until(
      'an empty queue',
      () => room.client.phones(),
      ([ann]) => ann?.devices[0]?.waiting === 0,
    );

    expect(room.inputs.filter(({ type }) => type === 'socket_opened')).toHaveLength(opened);
    expect(room.inputs.filter(({ type }) => type === 'socket_closed')).toHaveLength(1);
  });
});
