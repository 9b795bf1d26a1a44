import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/kernel/clock.ts';
import { runs } from '../sample.ts';
import { until } from '../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../worker/socket/socketRoom.ts';

/**
 * What plain Baileys loses when things happen at the same time (reproduced with its modules): steps of one session that
 * overlap, a send that has read the session early, two accounts of one process that talk to the same contact.
 */
const CARL = '4915100000003';
const ROUNDS = runs(12, 40);
const WITHOUT_A_TURN_MS = 500;

describe('steps on one Signal session at the same time', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const atBob = async (from: string): Promise<readonly string[]> =>
    (await room.client.messages(BOB)).filter((entry) => entry.from === from).map(({ text }) => text);
  const received = (who: SocketRoom, count: number): Promise<readonly string[]> =>
    until(
      'messages',
      () => who.texts(),
      (texts) => texts.length >= count,
    );
  const texts = Array.from({ length: ROUNDS }, (_, round) => `round ${round}`);
  const sendAll = async (who: SocketRoom): Promise<void> => {
    for (const text of texts) await who.send(text);
  };
  const writeAll = async (who: SocketRoom): Promise<void> => {
    for (const text of texts) await room.client.write(BOB, who.number, text);
  };
  const nothingWrong = { undecryptable: 0, retryRequests: 0, reusedKeys: 0, resent: 0, duplicates: 0 };

  /** Both have written, so that the next step of either turns the ratchet. */
  async function makeKnown(who: SocketRoom): Promise<void> {
    await room.client.write(BOB, who.number, 'hello');
    await received(who, 1);
    await who.send('hello');
  }

  /** Shows what the store has kept: a session that remembers nothing goes on, in both directions. */
  async function goOn(who: SocketRoom): Promise<void> {
    const before = who.texts().length;
    await who.socket?.close('end');
    await who.login();
    // First a send: it needs the step of the last one.
    await who.send('after');
    await room.client.write(BOB, who.number, 'after');
    await received(who, before + 1);
    await room.client.write(BOB, who.number, 'at last');
    await received(who, before + 2);
  }

  it('keeps both when a send begins while a message of the same contact is being published', async () => {
    await makeKnown(room);
    await room.client.write(BOB, ANN, 'turns the ratchet');
    // Sealed now, so that it does not turn the ratchet again: then a lost step of ours would mean a key used twice.
    await room.client.writeAhead(BOB, ANN, 'while it is published');
    await received(room, 2);
    await room.send('first of its chain');
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    room.publish = () => {
      begun.resolve();
      return held.promise;
    };

    await room.client.release(BOB);
    await begun.promise;
    const sending = room.send('meanwhile');
    // It must wait for its turn; one that did not would be done long before this is over.
    await Promise.race([sending, systemClock.sleep(WITHOUT_A_TURN_MS)]);
    held.resolve();
    const { outcome } = await sending;
    room.publish = async () => undefined;
    await received(room, 3);
    await goOn(room);

    expect(outcome?.outcome).toBe('acknowledged');
    expect(room.texts()).toEqual(['hello', 'turns the ratchet', 'while it is published', 'after', 'at last']);
    expect(await atBob(ANN)).toEqual(['hello', 'first of its chain', 'meanwhile', 'after']);
    expect(await room.client.stats()).toMatchObject(nothingWrong);
  });

  it('keeps every step when sends and messages of one contact come all the time', async () => {
    await makeKnown(room);
    // A login has forgotten the devices: the first send has looked at the session long before it seals.
    await room.socket?.close('end');
    await room.login();

    await Promise.all([sendAll(room), writeAll(room)]);
    await received(room, ROUNDS + 1);
    await goOn(room);

    expect(room.texts()).toEqual(['hello', ...texts, 'after', 'at last']);
    expect(await atBob(ANN)).toEqual(['hello', ...texts, 'after']);
    expect(await room.client.stats()).toMatchObject({ ...nothingWrong, outOfOrder: 0 });
  });

  it('lets no account wait for another that talks to the same contact and cannot publish', async () => {
    const other = await room.addAccount(CARL, 'Carl');
    await other.pairByQr();
    for (const each of [room, other]) await makeKnown(each);
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    room.publish = () => {
      begun.resolve();
      return held.promise;
    };

    await room.client.write(BOB, ANN, 'is held up');
    await begun.promise;
    await room.client.write(BOB, CARL, 'is not');
    await received(other, 2);
    const { outcome } = await other.send('nor is this');
    const early = room.texts();
    held.resolve();
    await received(room, 2);
    await other.socket?.close('end');

    expect(outcome?.outcome).toBe('acknowledged');
    expect(early).toEqual(['hello']);
    expect(room.texts()).toEqual(['hello', 'is held up']);
    expect(await room.client.stats()).toMatchObject(nothingWrong);
  });

  it('keeps every step of two accounts of one process that talk to the same contact at once', async () => {
    const other = await room.addAccount(CARL, 'Carl');
    await other.pairByQr();
    const rooms = [room, other];
    for (const each of rooms) await makeKnown(each);

    await Promise.all(rooms.flatMap((each) => [sendAll(each), writeAll(each)]));
    for (const each of rooms) await received(each, ROUNDS + 1);
    for (const each of rooms) await goOn(each);
    const shown = [await atBob(ANN), await atBob(CARL)];
    await other.socket?.close('end');

    for (const each of rooms) expect(each.texts()).toEqual(['hello', ...texts, 'after', 'at last']);
    for (const each of shown) expect(each).toEqual(['hello', ...texts, 'after']);
    expect(await room.client.stats()).toMatchObject({ ...nothingWrong, outOfOrder: 0 });
  });
});
