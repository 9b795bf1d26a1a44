import { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { factBounds } from '../../shared/event/facts/factBounds.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import { until } from '../whatsapp/until.ts';
import { WorkerRoom } from './workerRoom.ts';

const SHOP = '4915100000001';
const STRANGER = '4915100000002';
const NEIGHBOUR = '4915100000003';
const LONG = '4915100000004';
const NAMED = '4915100000005';
const PATIENCE_MS = 30_000;

/** What contacts write reaches its end through a real worker and a real queue, whatever is in it, and stops nobody else. */
describe('what a stranger writes', () => {
  let room: WorkerRoom;
  let connection: Connection;
  let published: ReturnType<WorkerRoom['collectFacts']>;
  let sound = 0;
  beforeAll(async () => {
    room = await WorkerRoom.start([SHOP, STRANGER, NEIGHBOUR, LONG]);
    await room.phones.addPhone(NAMED, 'Zoë 🚀 \uffff');
    published = room.collectFacts();
    await room.aWorker('task-1').ready;
    connection = await room.aPairedConnection(SHOP);
  });
  afterAll(async () => {
    await published.stop();
    await room.stop();
  });

  const facts = (): readonly Fact[] => published.factsOf(connection.connectionId);
  const contents = () => facts().flatMap((fact) => (fact.kind === 'message' ? [fact.content] : []));
  const texts = (): readonly string[] =>
    contents().flatMap((content) => (content.type === 'text' ? [content.text.body] : []));
  /** Somebody else writes, and it arrives; meanwhile the connection has not been away. */
  const expectNoHarm = async (): Promise<void> => {
    const word = `sound ${(sound += 1)}`;
    await room.phones.write(NEIGHBOUR, SHOP, word);
    await until(
      'the message of the neighbour',
      () => Promise.resolve(texts()),
      (all) => all.includes(word),
      PATIENCE_MS,
    );
    expect((await room.rowOf(connection))?.status).toBe('online');
    expect((await room.history(connection)).filter((entry) => entry.startsWith('reconnecting/'))).toEqual([
      'reconnecting/restart_required',
    ]);
  };
  const sendRaw = (plaintext: Uint8Array) =>
    room.phones.raw(STRANGER, { to: SHOP, plaintext: Buffer.from(plaintext).toString('base64') });

  it.each([
    ['an emoji', '😀'],
    ['noncharacters', 'a\ufffe\uffff\u{1fffe}b'],
    ['NUL', 'a\0b'],
    ['all that WhatsApp takes, in Hindi', 'क'.repeat(factBounds.textCharacters)],
    ['all that WhatsApp takes, in emoji', '😀'.repeat(factBounds.textCharacters)],
  ])('is told whole: %s', async (_what, text) => {
    await sendRaw(proto.Message.encode({ conversation: text }).finish());

    await until(
      'the text',
      () => Promise.resolve(texts()),
      (all) => all.includes(text),
      PATIENCE_MS,
    );
    await expectNoHarm();
  });

  it.each([420_000, 1_100_000])(
    'is cut when it is longer than WhatsApp takes, and says how long it was: %s letters',
    async (length) => {
      await sendRaw(proto.Message.encode({ conversation: 'y'.repeat(length) }).finish());

      const text = { body: 'y'.repeat(factBounds.textCharacters), truncated: true, length };
      await until(
        'the text',
        () => Promise.resolve(contents()),
        (all) => all.some((content) => content.type === 'text' && content.text.length === length),
        PATIENCE_MS,
      );
      expect(contents()).toContainEqual({ type: 'text', text });
      await expectNoHarm();
    },
  );

  it('is told with a mark in place of half an emoji', async () => {
    await sendRaw(Buffer.from([0x0a, 5, 0x61, 0xed, 0xa0, 0xbd, 0x62]));
    const before = contents().length;

    await expectNoHarm();

    expect(
      contents()
        .slice(0, before + 1)
        .some((content) => JSON.stringify(content).includes('\ufffd')),
    ).toBe(true);
  });

  it('may come with any name', async () => {
    await room.phones.write(NAMED, SHOP, 'from Zoë');
    await until(
      'the text',
      () => Promise.resolve(texts()),
      (all) => all.includes('from Zoë'),
      PATIENCE_MS,
    );

    expect(facts()).toContainEqual(expect.objectContaining({ senderName: 'Zoë 🚀 \uffff' }));
    await expectNoHarm();
  });

  it('may be a receipt that names no message', async () => {
    await room.phones.stanza(STRANGER, {
      to: SHOP,
      stanza: {
        tag: 'receipt',
        attrs: { id: '3EB0AAAA', type: 'read' },
        content: [{ tag: 'list', content: [{ tag: 'item' }] }],
      },
    });

    await expectNoHarm();
    expect(facts().filter((fact) => fact.kind === 'receipt' && fact.stanzaId === '')).toEqual([]);
  });

  it('may be the key of a group with a name of 1,200 characters', async () => {
    const axolotlSenderKeyDistributionMessage = Buffer.from('no key');
    const groupId = `${'1'.repeat(1_200)}@g.us`;
    const key = { senderKeyDistributionMessage: { groupId, axolotlSenderKeyDistributionMessage } };
    await sendRaw(proto.Message.encode({ ...key, conversation: 'with a key' }).finish());

    await until(
      'the text',
      () => Promise.resolve(texts()),
      (all) => all.includes('with a key'),
      PATIENCE_MS,
    );
    await expectNoHarm();
  });
});
