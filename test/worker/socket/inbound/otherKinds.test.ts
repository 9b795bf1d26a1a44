import { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageFact } from '../../../../shared/event/facts/messageFactSchema.ts';
import { openPlaintext } from '../../session/openPlaintext.ts';
import { field } from '../../../shared/wire/golden.ts';
import { until } from '../../../whatsapp/until.ts';
import { makeSwitchGate } from '../../fleet/gates.ts';
import { ANN, BOB, SocketRoom } from '../socketRoom.ts';

const encode = (message: proto.IMessage): Buffer => Buffer.from(proto.Message.encode(message).finish());
const FIELD_300 = Buffer.of(0xe2, 0x12, 1, 0x78);

/** Over the wire: a phone seals these bytes, and the real Baileys opens them. */
describe('what a contact sends besides plain texts', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterAll(() => room.stop());

  const factsOf = (id: string): readonly MessageFact[] =>
    room.facts.filter((fact): fact is MessageFact => fact.kind === 'message' && fact.stanzaId === id);
  /** Returns the facts of the message when one that was written after it has come. */
  async function facts(plaintext: Uint8Array): Promise<readonly MessageFact[]> {
    const { id } = await room.client.raw(BOB, { to: ANN, plaintext: Buffer.from(plaintext).toString('base64') });
    const after = `after ${id}`;
    await room.client.write(BOB, ANN, after);
    await until(after, room.texts.bind(room), (texts) => texts.includes(after));
    return factsOf(id);
  }
  const kept = ({ key }: MessageFact) => {
    const { connection, keyProvider } = room;
    return openPlaintext({ table: room.store(), keyProvider, connection }, key);
  };

  it.each<readonly [what: string, plaintext: Buffer, fact: Partial<MessageFact>]>([
    [
      'a text in a chat whose messages disappear',
      encode({ ephemeralMessage: { message: { extendedTextMessage: { text: 'soon gone' } } } }),
      { content: { type: 'text', text: { body: 'soon gone' } }, flags: ['ephemeral'] },
    ],
    [
      'a longer text beside an empty one',
      encode({ conversation: '', extendedTextMessage: { text: 'not empty' } }),
      { content: { type: 'text', text: { body: 'not empty' } } },
    ],
    [
      'what is hidden from linked devices',
      encode({ placeholderMessage: { type: 0 } }),
      { content: { type: 'unsupported', unsupported: { kind: 'placeholder' } } },
    ],
    [
      'a field that nobody knows',
      FIELD_300,
      { content: { type: 'unsupported', unsupported: { kind: 'field_300', fields: [300] } } },
    ],
    [
      'a wrapper that nobody at Baileys knows',
      Buffer.concat([Buffer.of(0xb2, 0x07, 9, 0x0a, 7), encode({ conversation: 'shown' })]),
      { content: { type: 'text', text: { body: 'shown' } }, flags: ['spoiler'] },
    ],
    ['nothing at all', Buffer.of(), { content: { type: 'unsupported', unsupported: { kind: 'empty' } } }],
  ])('is one fact: %s', async (_what, plaintext, expected) => {
    const found = await facts(plaintext);

    expect(found).toEqual([expect.objectContaining(expected)]);
    expect('flags' in (found[0] ?? {})).toBe('flags' in expected);
  });

  it.each<readonly [what: string, message: proto.IMessage]>([
    ['the key of a sender', { senderKeyDistributionMessage: { groupId: '1@g.us' } }],
    ['a secret alone', { messageContextInfo: { messageSecret: Buffer.alloc(32, 1) } }],
  ])('is none when it is bookkeeping between devices: %s', async (_what, message) => {
    expect(await facts(encode(message))).toEqual([]);
  });

  it('is kept sealed as it came when it cannot be shown, and not when it can', async () => {
    const log = encode({ viewOnceMessage: { message: { placeholderMessage: { type: 0 } } } });
    const [unshown] = await facts(log);
    const sealed = Buffer.concat([field(120, Buffer.concat([field(1, 'sealed'), field(4, 'key-1')]))]);
    const [scheduled] = await facts(sealed);
    const [shown] = await facts(encode({ ephemeralMessage: { message: { conversation: 'a text' } } }));
    if (unshown === undefined || scheduled === undefined || shown === undefined)
      throw new Error('a message without a fact');

    expect((await kept(unshown))?.bytes).toEqual(log);
    expect(scheduled.content.type).toBe('scheduled');
    expect((await kept(scheduled))?.bytes).toEqual(sealed);
    expect(await kept(shown)).toBeUndefined();
  });

  it('comes again when it could not be kept, and is the same fact', async () => {
    room.beforeWrite = async ({ sk }) => {
      if (sk.startsWith('PLAINTEXT#')) room.gate.fence();
    };
    const { id } = await room.client.raw(BOB, { to: ANN, plaintext: FIELD_300.toString('base64') });
    await until('the end', room.gate.isOpen, (isOpen) => !isOpen);
    await room.input('socket_closed');
    const before = factsOf(id);
    room.beforeWrite = async () => undefined;
    room.gate = makeSwitchGate();
    await room.login();
    const all = await until(
      'the message',
      () => factsOf(id),
      (found) => found.length > before.length,
    );
    const [fact] = all;
    if (fact === undefined) throw new Error('a message without a fact');
    const found = await until(
      'what is kept',
      () => kept(fact),
      (item) => item !== undefined,
    );

    expect(new Set(all.map(({ key }) => key)).size).toBe(1);
    expect(found?.bytes).toEqual(FIELD_300);
  });
});
