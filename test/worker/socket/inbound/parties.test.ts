import { encodeWAMessage } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEvents } from '../../../../shared/event/readEvents.ts';
import { recordFacts } from '../../../shared/event/recordFacts.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import { MessageStore } from '../../../../shared/message/messageStore.ts';
import { aBatch } from '../../../shared/event/eventStores.ts';
import { node, stamp } from '../../../whatsapp/node.ts';
import { takeBundle } from '../../../whatsapp/queries.ts';
import { until } from '../../../whatsapp/until.ts';
import { jidOf, WHATSAPP } from '../../../whatsapp/world.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

/** The tests go from the wire through ingest to the lists that the API shows. */
describe('people and order, from the wire to the list', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const textsOf = (count: number) =>
    until(
      `${count} texts`,
      () => room.texts(),
      (texts) => texts.length >= count,
    );
  const bobsLid = (): string => {
    const bob = room.whatsApp.world.accounts.get(BOB);
    if (bob === undefined) throw new Error('Bob is not there');
    return jidOf(bob, 0, 'lid');
  };
  /** Ingest of all that was published, one batch for each fact. */
  async function ingest() {
    const stores = { table: room.store(), stage: 'test', clock: systemClock, random: systemRandom };
    const messages = new MessageStore(stores);
    const { tenantId, connectionId } = room.connection;
    for (const [index, fact] of room.facts.entries()) {
      await recordFacts(stores, aBatch({ tenantId, connectionId }, [fact], `batch-${index}`));
    }
    const { messages: listed } = await messages.list(connectionId, {
      before: undefined,
      limit: 100,
      nowMs: Date.now(),
    });
    const { events } = await readEvents(stores, tenantId, undefined, 100);
    return { listed, events };
  }

  /** Bob's phone seals a text for the linked device, under an id and an address of the test's choosing. */
  async function sendFromBob(id: string, text: string, server: typeof WHATSAPP | 'lid'): Promise<void> {
    const { world, relay } = room.whatsApp;
    const [ann, bob] = [world.accounts.get(ANN), world.accounts.get(BOB)];
    const device = ann === undefined ? undefined : [...ann.devices.keys()][0];
    if (ann === undefined || bob === undefined || device === undefined) throw new Error('nobody is there');
    const jid = jidOf(ann, device, 'lid');
    const sealed = await bob.phone.seal(jid, encodeWAMessage({ conversation: text }), () => takeBundle(world, jid));
    const attrs = { id, from: jidOf(bob, 0, server), type: 'text', t: stamp(), notify: 'Bob 😀' };
    const enc = node('enc', { v: '2', type: sealed?.type ?? '' }, sealed?.ciphertext);
    relay.route({ account: ann, device, stanza: node('message', attrs, [enc]) });
  }

  it('a message that comes by number and again by LID is one event and one message, with both names', async () => {
    // The stanza of this one tells both names; the later ones tell one each.
    await room.client.write(BOB, ANN, 'hello');
    await textsOf(1);

    await sendFromBob('3A00BOTHWAYS', 'once', WHATSAPP);
    await textsOf(2);
    await sendFromBob('3A00BOTHWAYS', 'once', 'lid');
    await textsOf(3);
    const { listed, events } = await ingest();

    expect(room.texts()).toEqual(['hello', 'once', 'once']);
    expect(events.map(({ type }) => type)).toEqual(['message.received', 'message.received']);
    const bob = { id: bobsLid(), lid: bobsLid(), phoneNumber: `+${BOB}` };
    expect(events.map(({ data }) => data)).toMatchObject([
      { chat: bob, sender: { ...bob, name: 'Bob' } },
      { chat: bob, sender: { ...bob, name: 'Bob 😀' } },
    ]);
    expect(listed).toHaveLength(2);
  });

  it('messages of one second are listed in the order of the log, also those that waited while we were away', async () => {
    const live = Array.from({ length: 30 }, (_, index) => `live ${index}`);
    for (const text of live) await room.client.write(BOB, ANN, text);
    await textsOf(30);
    await room.socket?.close('end');
    const waited = Array.from({ length: 10 }, (_, index) => `waited ${index}`);
    for (const text of waited) await room.client.write(BOB, ANN, text);
    await room.login();
    await textsOf(40);

    const { listed, events } = await ingest();

    const bodies = (found: readonly unknown[]) =>
      found.map((content) => (content as { readonly text: { readonly body: string } }).text.body);
    expect(bodies(events.map(({ data }) => (data as { readonly content: unknown }).content))).toEqual([
      ...live,
      ...waited,
    ]);
    expect(bodies(listed.map(({ content }) => content)).toReversed()).toEqual([...live, ...waited]);
  });
});
