import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { children } from './node.ts';
import { isOpen, textsOf, type PlainSocket } from './plainSocket.ts';
import { useStage } from './sockets.ts';
import { until } from './until.ts';
import { lidOf } from './world.ts';

const ANN = '4915100000001';
const BOB = '4915100000002';
const NAME = 'Bob 👩🏽‍🚀 काम ไทย \u{20000}';

const asPlaintext = (message: proto.IMessage): string =>
  Buffer.from(proto.Message.encode(message).finish()).toString('base64');

describe('a contact who says any bytes', () => {
  const stage = useStage({ Ann: ANN, [NAME]: BOB });
  const untilTexts = (socket: PlainSocket, texts: readonly string[]) =>
    until(
      'the texts',
      () => textsOf(socket),
      (received) => received.length >= texts.length,
    ).then((received) => expect(received).toEqual(texts));

  it('is read by the linked devices of the other, under the name that he chose', async () => {
    const ann = await stage.pair(ANN);

    const first = await stage.client().raw(BOB, { to: ANN, plaintext: asPlaintext({ conversation: 'one 😀' }) });
    const attrs = { notify: '🦊', t: '1790000000' };
    const plaintext = asPlaintext({ conversation: 'two' });
    await stage.client().raw(BOB, { to: ANN, plaintext, id: 'CHOSEN', addressing: 'lid', attrs });
    await untilTexts(ann, ['one 😀', 'two']);

    expect(first).toMatchObject({ devices: 1 });
    expect(ann.received.map(({ key, pushName }) => [key.id, key.remoteJid, pushName])).toEqual([
      [first.id, `${BOB}@s.whatsapp.net`, NAME],
      ['CHOSEN', `${lidOf(BOB)}@lid`, '🦊'],
    ]);
  });

  it('is read in a group, where the server names him', async () => {
    const ann = await stage.pair(ANN);
    const { id: group } = await stage.client().addGroup(BOB, 'Both', [ANN]);

    await stage.client().raw(BOB, { to: group, plaintext: asPlaintext({ conversation: 'to all' }) });
    await stage.client().raw(BOB, { to: group, plaintext: asPlaintext({ conversation: 'to all again' }) });
    await untilTexts(ann, ['to all', 'to all again']);

    expect(ann.received.map(({ key }) => [key.remoteJid, key.participant])).toEqual(
      Array.from({ length: 2 }, () => [group, `${lidOf(BOB)}@lid`]),
    );
  });

  it('repeats the same bytes to who could not read them, also when they are no message', async () => {
    const ann = await stage.pair(ANN);
    await stage.client().raw(BOB, { to: ANN, plaintext: 'AAAA', id: 'NONSENSE' });
    await stage.client().write(BOB, ANN, 'behind it');

    await untilTexts(ann, ['behind it']);
    await stage.client().repeat(BOB, 'NONSENSE');
  });

  it('sends what nobody sealed, and is asked to repeat it', async () => {
    const ann = await stage.pair(ANN);

    await stage.client().raw(BOB, { to: ANN, ciphertext: Buffer.alloc(80, 7).toString('base64') });
    await until(
      'a request to repeat',
      () => stage.client().stats(),
      ({ retryRequests }) => retryRequests > 0,
    );

    expect(textsOf(ann)).toEqual([]);
  });

  it('sends padding of its own choice', async () => {
    const ann = await stage.pair(ANN);
    const message = proto.Message.encode({ conversation: 'by hand' }).finish();
    const plaintext = Buffer.concat([message, Buffer.alloc(3, 3)]).toString('base64');

    await stage.client().raw(BOB, { to: ANN, plaintext, padded: true });

    await untilTexts(ann, ['by hand']);
  });
});

describe('a contact who sends any stanza', () => {
  const stage = useStage({ Ann: ANN, Bob: BOB });

  it('reaches the linked devices in his own name', async () => {
    const ann = await stage.pair(ANN);
    const seen = new Promise<{ readonly attrs: Readonly<Record<string, string>> }>((resolve) => {
      ann.socket.ws.on('CB:receipt', resolve);
    });
    const { id: group } = await stage.client().addGroup(BOB, 'Both', [ANN]);

    const content = [{ tag: 'list', content: [{ tag: 'item' }, { tag: 'item', content: { base64: 'AAE=' } }] }];
    await stage.client().stanza(BOB, { to: group, stanza: { tag: 'receipt', attrs: { id: 'X' }, content } });

    const { attrs, ...stanza } = await seen;
    expect(attrs).toMatchObject({ id: 'X', from: group, participant: `${lidOf(BOB)}@lid` });
    const [list] = children({ tag: 'receipt', attrs: {}, ...stanza });
    expect(children(list).map(({ content: bytes }) => bytes)).toEqual([undefined, Buffer.from([0, 1])]);
  });

  it('waits until it is acknowledged, also without an id', async () => {
    const ann = await stage.pair(ANN);

    await stage.client().stanza(BOB, { to: ANN, stanza: { tag: 'receipt', attrs: { type: 'read' } } });
    await stage.client().stanza(BOB, { to: ANN, stanza: { tag: 'chatstate', content: [{ tag: 'composing' }] } });

    await until(
      'the acknowledgement',
      () => stage.client().phones(),
      (phones) => phones[0]?.devices[0]?.waiting === 0,
    );
    expect(ann.updates.some(isOpen)).toBe(true);
  });

  it.each([
    ['an address of his choice', 'stanza', { stanza: { tag: 'message', attrs: { from: `${ANN}@s.whatsapp.net` } } }],
    ['a sender of his choice', 'raw', { plaintext: '', attrs: { participant: 'x@lid' } }],
    ['a query of the server', 'stanza', { stanza: { tag: 'iq' } }],
    ['both plaintext and ciphertext', 'raw', { plaintext: '', ciphertext: '' }],
    ['no base64', 'raw', { plaintext: '%%' }],
    ['a group that is not there', 'raw', { to: '1@g.us', plaintext: '' }, 404],
    ['a frame that is too long', 'stanza', { stanza: { tag: 'ib', content: 'x'.repeat(17_000_000) } }],
  ])('is refused %s with a sentence', async (_what, route, body, status = 400) => {
    await stage.client().addPhone(BOB, 'Bob');
    const response = await fetch(`${stage.whatsApp().controlUrl}/phones/${BOB}/${route}`, {
      method: 'POST',
      body: JSON.stringify({ to: ANN, ...body }),
    });

    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error.length).toBeGreaterThan(10);
  });
});
