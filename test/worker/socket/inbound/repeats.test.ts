import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStanzaId, type MessageId } from '../../../../shared/kernel/id.ts';
import { systemRandom } from '../../../../shared/kernel/random.ts';
import type { SendRequest } from '../../../../worker/socket/port/connectionSocket.ts';
import { silenceConsole } from '../../../whatsapp/silenceConsole.ts';
import { until } from '../../../whatsapp/until.ts';
import { lidOf, WHATSAPP } from '../../../whatsapp/world.ts';
import { ANN, BOB, BOB_JID, SocketRoom } from '../socketRoom.ts';
import { aRetryReceipt, linkRawClient, ourDevice, repeatedTo, type RawClient } from '../strangers.ts';

silenceConsole();
const CAT = '4915100000003';
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Ann is ours. Bob got the message; Cat has a client of her own. */
describe('a request to repeat a message', () => {
  let room: SocketRoom;
  let cat: RawClient;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.client.addPhone(CAT, 'Cat');
    await room.pairByQr();
    cat = await linkRawClient(room, CAT);
  });
  afterEach(async () => {
    cat.close();
    await room.stop();
  });

  const refused = (reason: string) => room.metrics.totalOf('RetryReceiptsRefused', { reason });
  const answered = () => room.metrics.totalOf('RetryReceipts');
  /** Resolves when the requester has all that will come: everything that was sent to us is handled. */
  async function settled(): Promise<void> {
    await until(
      'an empty queue',
      () => room.client.phones(),
      (phones) => phones.find(({ number }) => number === ANN)?.devices[0]?.waiting === 0,
    );
  }
  async function refusedFor(reason: string, count = 1): Promise<void> {
    await until(
      `${count} refused`,
      () => refused(reason),
      (total) => total === count,
    );
    await settled();
  }
  async function sessionsWith(number: string): Promise<readonly string[]> {
    const keys = [0, 1, 2].map((device) => `${lidOf(number)}_1.${device}`);
    return Object.keys(await (await room.session()).getKeys('session', keys));
  }

  it.each(['lid', WHATSAPP] as const)('of a stranger is refused, addressed by %s', async (server) => {
    const { stanzaId } = await room.send('for Bob alone');

    await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room, server) }));
    await refusedFor('not_a_recipient');

    expect(cat.brought).toEqual([]);
    expect(answered()).toBe(0);
    expect(await sessionsWith(CAT)).toEqual([]);
    expect(room.metrics.totalOf('SessionsRenewed', { sinceLast: 'over_a_day' })).toBe(0);
  });

  it('of a stranger for a message that nobody sent is refused', async () => {
    await cat.send(aRetryReceipt('3EB0NOSUCHMESSAGE', { to: ourDevice(room) }));
    await cat.send(aRetryReceipt('3'.repeat(3_000), { to: ourDevice(room) }));
    await refusedFor('unknown_message', 2);

    expect(cat.brought).toEqual([]);
  });

  it('for a message of a group is refused beside the group, and from who is not in it any more', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'Club', [ANN, CAT]);
    const { stanzaId } = await room.send('for the club', makeStanzaId(systemRandom), group);
    await until(
      'the message',
      () => cat.brought.length,
      (count) => count === 1,
    );

    await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room, 'lid') }));
    await refusedFor('not_a_recipient');
    await room.client.changeMembers(group, BOB, 'remove', [CAT]);
    await cat.send(aRetryReceipt(stanzaId, { to: group, participant: ourDevice(room, 'lid') }));
    await refusedFor('not_a_member');

    expect(cat.brought).toHaveLength(1);
    expect(answered()).toBe(0);
  });

  it('of a member of the group is answered, at once after a restart, too', async () => {
    const { id: group } = await room.client.addGroup(BOB, 'Club', [ANN, CAT]);
    const { stanzaId } = await room.send('for the club', makeStanzaId(systemRandom), group);
    await until(
      'the message',
      () => cat.brought.length,
      (count) => count === 1,
    );
    await room.socket?.close('end');
    await room.login();

    await cat.send(aRetryReceipt(stanzaId, { to: group, participant: ourDevice(room, 'lid') }));
    await until(
      'the repetition',
      () => cat.brought.length,
      (count) => count === 2,
    );

    expect(cat.brought.map(({ attrs }) => [attrs['id'], attrs['from']])).toEqual([
      [stanzaId, group],
      [stanzaId, group],
    ]);
    expect(answered()).toBe(1);
  });

  it('for a message to another group is refused', async () => {
    const [club, team] = [
      await room.client.addGroup(BOB, 'Club', [ANN]),
      await room.client.addGroup(BOB, 'Team', [ANN, CAT]),
    ];
    const { stanzaId } = await room.send('for the club', makeStanzaId(systemRandom), club.id);

    await cat.send(aRetryReceipt(stanzaId, { to: team.id, participant: ourDevice(room, 'lid') }));
    await refusedFor('not_a_recipient');

    expect(cat.brought).toEqual([]);
  });

  describe('of a device of the recipient', () => {
    it.each(['lid', WHATSAPP] as const)('is answered four times and more, addressed by %s', async (server) => {
      const { stanzaId } = await room.send('for Cat', makeStanzaId(systemRandom), `${CAT}@${WHATSAPP}`);
      await until(
        'the message',
        () => cat.brought.length,
        (count) => count === 1,
      );

      for (let request = 1; request <= 4; request += 1) {
        await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room, server) }));
        await until(
          `repetition ${request}`,
          () => repeatedTo(cat).length,
          (count) => count === request,
        );
      }
      for (let request = 5; request <= 12; request += 1) {
        await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room, server) }));
      }
      await until('all requests', answered, (count) => count === 12);
      await settled();

      expect(new Set(repeatedTo(cat))).toEqual(new Set([stanzaId]));
      expect(repeatedTo(cat).length).toBeLessThanOrEqual(5);
    });

    const poll = { name: 'Lunch?', options: ['Noodles', 'Rice'] };
    const aPoll = { tag: 'meta', attrs: { polltype: 'creation' } };
    const original = { messageId: 'msg_1' as MessageId, stanzaId: 'ONE', type: 'poll' } as const;
    const seal = { secret: Buffer.alloc(32, 5).toString('base64url'), known: `${CAT}@${WHATSAPP}` };
    const vote: SendRequest['content'] = { type: 'poll_vote', poll_vote: { message_id: 'msg_1', options: ['Rice'] } };
    const edit = { type: 'edit', edit: { message_id: 'msg_1', text: { body: 'b' } } } as const;
    it.each<readonly [string, Partial<SendRequest> & Pick<SendRequest, 'content'>, object, readonly object[]]>([
      ['a poll', { content: { type: 'poll', poll } }, { type: 'poll' }, [aPoll]],
      [
        'a poll that Baileys does not know',
        { content: { type: 'poll', poll: { ...poll, hide_names: true } } },
        { type: 'poll' },
        [aPoll],
      ],
      [
        'a vote',
        { content: vote, original: { ...original, seal } },
        { type: 'poll' },
        [{ tag: 'meta', attrs: { polltype: 'vote' } }],
      ],
      ['an edit', { content: edit, original: { ...original, type: 'text' } }, { edit: '1' }, []],
    ])('is answered with all that stood around the message: %s', async (_what, asked, attrs, metas) => {
      const [stanzaId, to] = [makeStanzaId(systemRandom), `${CAT}@${WHATSAPP}`];
      room.sent.set(stanzaId, { content: asked.content, to, atMs: Date.now() });
      expect(await room.socket?.send({ stanzaId, to, ...asked })).toMatchObject({ outcome: 'acknowledged' });
      await until(
        'the message',
        () => cat.brought.length,
        (count) => count === 1,
      );

      for (let request = 1; request <= 2; request += 1) {
        await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room) }));
        await until(
          `repetition ${request}`,
          () => repeatedTo(cat).length,
          (count) => count === request,
        );
      }
      for (let request = 3; request <= 12; request += 1) {
        await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room) }));
      }
      await until('all requests', answered, (count) => count === 12);
      await settled();

      expect(repeatedTo(cat).length).toBeLessThanOrEqual(5);
      const shown = cat.brought.map((stanza) => ({
        attrs: stanza.attrs,
        metas: Array.isArray(stanza.content) ? stanza.content.filter(({ tag }) => tag === 'meta') : [],
      }));
      for (const each of shown) {
        expect(each.attrs).toMatchObject({ id: stanzaId, ...attrs });
        expect(each.metas).toMatchObject(metas);
      }
    });

    it('is answered for a message to its LID when it asks by number, and is not when it is too old', async () => {
      // The first message by number is how both of its names become known.
      await room.send('hello', makeStanzaId(systemRandom), `${CAT}@${WHATSAPP}`);
      const to = `${lidOf(CAT)}@lid`;
      const { stanzaId } = await room.send('new', makeStanzaId(systemRandom), to);
      const old = await room.send('old', makeStanzaId(systemRandom), to);
      const record = room.sent.get(old.stanzaId);
      if (record !== undefined) room.sent.set(old.stanzaId, { ...record, atMs: Date.now() - 31 * DAY_MS });
      await until(
        'all three',
        () => cat.brought.length,
        (count) => count === 3,
      );

      await cat.send(aRetryReceipt(old.stanzaId, { to: ourDevice(room) }));
      await refusedFor('too_old');
      await cat.send(aRetryReceipt(stanzaId, { to: ourDevice(room) }));
      await until(
        'the repetition',
        () => repeatedTo(cat),
        (ids) => ids.length === 1,
      );

      expect(repeatedTo(cat)).toEqual([stanzaId]);
    });

    it('that lists 20,000 messages costs what ten cost, and gets its own alone', async () => {
      const to = `${CAT}@${WHATSAPP}`;
      const own = [await room.send('one', undefined, to), await room.send('two', undefined, to)];
      const { stanzaId: ofBob } = await room.send('for Bob', makeStanzaId(systemRandom), BOB_JID);
      await until(
        'both',
        () => cat.brought.length,
        (count) => count === 2,
      );
      const [first = '', second = ''] = own.map(({ stanzaId }) => stanzaId);
      const noise = Array.from({ length: 20_000 }, (_, index) => `3EB0${index}`);

      await cat.send(aRetryReceipt(first, { to: ourDevice(room) }, [second, ofBob, ...noise]));
      const beganAtMs = performance.now();
      await until(
        'two repetitions',
        () => repeatedTo(cat),
        (ids) => ids.length === 2,
      );
      await room.client.write(BOB, ANN, 'after it');
      await until(
        'the message after it',
        () => room.texts(),
        (texts) => texts.includes('after it'),
      );

      expect(performance.now() - beganAtMs).toBeLessThan(30_000);
      expect(repeatedTo(cat).toSorted()).toEqual([first, second].toSorted());
      expect([refused('not_a_recipient'), refused('unknown_message'), refused('too_many')]).toEqual([1, 7, 1]);
      expect(room.inputs.filter(({ type }) => type === 'socket_closed')).toHaveLength(1);
    });
  });

  it('is answered aside: whoever asks for everything at once holds up nobody else', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 20; index += 1) {
      ids.push((await room.send(`text ${index}`, makeStanzaId(systemRandom), `${CAT}@${WHATSAPP}`)).stanzaId);
    }
    await until(
      'all of them',
      () => cat.brought.length,
      (count) => count === ids.length,
    );
    // Each answer takes two queries, and so a second and more.
    await room.client.fault({ kind: 'latency', number: ANN, ms: 250 });

    for (const id of ids) await cat.send(aRetryReceipt(id, { to: ourDevice(room) }));
    await room.client.write(BOB, ANN, 'after them');
    await until(
      'the message after them',
      () => room.texts(),
      (texts) => texts.includes('after them'),
    );
    const repeatedByThen = repeatedTo(cat).length;
    await room.client.clearFaults();
    await until(
      'all repetitions',
      () => repeatedTo(cat).length,
      (count) => count === ids.length,
    );

    expect(repeatedByThen).toBeLessThan(ids.length / 2);
    expect(room.inputs.filter(({ type }) => type === 'socket_closed')).toHaveLength(1);
  });

  it('of our own other device is answered in the chat that the message went to, and in no other', async () => {
    const other = await linkRawClient(room, ANN);
    const { stanzaId } = await room.send('for Bob');
    await until(
      'the echo',
      () => other.brought.length,
      (count) => count === 1,
    );

    await other.send(aRetryReceipt(stanzaId, { to: ourDevice(room), recipient: `${CAT}@${WHATSAPP}` }));
    await refusedFor('not_a_recipient');
    await other.send(aRetryReceipt(stanzaId, { to: ourDevice(room), recipient: BOB_JID }));
    await until(
      'the repetition',
      () => repeatedTo(other),
      (ids) => ids.length === 1,
    );
    other.close();

    expect(cat.brought).toEqual([]);
    expect(answered()).toBe(1);
  });
});
