import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import type { SentFile } from '../whatsapp/media/fileClient.ts';
import { toContent } from '../../shared/wire/content.ts';
import { samples } from '../whatsapp/media/sampleFiles.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const WAIT_MS = 60_000;

type Json = Readonly<Record<string, unknown>>;

/** Files go from a request through every process of the embedded stack to a phone, which fetches, opens and checks them. */
describe('files that are sent', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN);
  });
  afterAll(() => stage.stop());

  /** What is told of a file that a phone sends, once it is here. */
  const comes = async (media: SentFile, how: { readonly caption?: string } = {}): Promise<Json> => {
    const stanzaId = await stage.phones.files.send(ANN, SHOP, media, how);
    let message: Json | undefined;
    await until(
      'the file to be here',
      async () => {
        message = stage.receiver.events.find(
          ({ type, data: of }) => type === 'message.received' && of['stanzaId'] === stanzaId,
        )?.data;
        return stage.receiver.events.some(
          ({ type, data: of }) =>
            type === 'media.ready' && message !== undefined && of['messageId'] === message['messageId'],
        );
      },
      (isHere) => isHere,
      WAIT_MS,
    );
    return message ?? {};
  };
  /** The id of a file that came from a phone. */
  const received = async (media: SentFile): Promise<string> => {
    const [file] = (await comes(media))['media'] as readonly Json[];
    return String(file?.['id']);
  };
  /** A message as the API shows it, once it is so. */
  const messageOf = (id: unknown, isSo: (message: Json) => boolean): Promise<Json> =>
    until('the message', () => stage.api.must('GET', `${path()}/${String(id)}`), isSo, WAIT_MS);
  const path = (): string => `/v1/connections/${stage.connection}/messages`;
  const send = async (request: Json): Promise<Json> => {
    const { status, json } = await stage.api.call('POST', path(), { to: `+${ANN}`, ...request });
    expect({ status, json }).toMatchObject({ status: 202 });
    return json;
  };
  const opened = async ({ id, stanzaId }: Json) => {
    await until(
      'the file on the phone',
      async () => {
        const message = await stage.api.must('GET', `${path()}/${String(id)}`);
        expect(message['error']).toBeUndefined();
        return (await stage.phones.messages(ANN)).find((entry) => entry.id === stanzaId);
      },
      (entry) => entry !== undefined,
      WAIT_MS,
    );
    return stage.phones.files.opened(ANN, String(stanzaId));
  };

  /** What is sent of each kind, which file a phone brings for it, and what the phone that gets it shows. */
  const kinds: readonly (readonly [what: string, media: SentFile, type: string, body: Json, shown: object])[] = [
    [
      'a document as it is',
      { kind: 'document', noise: { bytes: 100_001, seed: 1 }, fileName: 'invoice.pdf' },
      'document',
      { convert: false, caption: 'The invoice' },
      {
        kind: 'document',
        bytes: 100_001,
        caption: 'The invoice',
        fileName: 'invoice.pdf',
        wrappers: ['documentWithCaptionMessage'],
      },
    ],
    [
      'a picture, which becomes a JPEG with a small one in its message',
      { kind: 'document', data: samples.smallPng, fileName: 'size.png' },
      'image',
      { caption: 'This size' },
      { kind: 'image', mimetype: 'image/jpeg', caption: 'This size', width: 3, height: 2, wrappers: [] },
    ],
    [
      'a picture that may be opened once',
      { kind: 'image', data: samples.smallPng },
      'image',
      { view_once: true },
      { kind: 'image', viewOnce: true, wrappers: ['viewOnceMessageV2'] },
    ],
    [
      'a film as it is',
      { kind: 'video', data: samples.earlyIndexMp4 },
      'video',
      { convert: false, caption: 'Listen' },
      { kind: 'video', mimetype: 'video/mp4', caption: 'Listen', sidecar: 'right' },
    ],
    [
      'a film that is played like a GIF',
      { kind: 'video', data: samples.earlyIndexMp4 },
      'video',
      { convert: false, gif: true },
      { kind: 'gif', sidecar: 'right' },
    ],
    [
      'a round film',
      { kind: 'video', data: samples.earlyIndexMp4 },
      'video_note',
      { convert: false },
      { kind: 'video_note', sidecar: 'right' },
    ],
    [
      'a voice message, with what shows how loud it is',
      { kind: 'audio', data: samples.voice20Ms, mimetype: 'audio/ogg' },
      'audio',
      { voice: true },
      { kind: 'voice', mimetype: 'audio/ogg; codecs=opus', sidecar: 'right', inside: { framesInPacket: [3] } },
    ],
    ['a sound', { kind: 'audio', data: samples.voice60Ms }, 'audio', {}, { kind: 'audio', sidecar: 'right' }],
    [
      'a sticker, which becomes a WebP of 512 × 512',
      { kind: 'image', data: samples.smallPng },
      'sticker',
      {},
      { kind: 'sticker', mimetype: 'image/webp', width: 512, height: 512 },
    ],
  ];

  it.each(kinds)(
    'goes to a phone, which opens it and finds nothing wrong: %s',
    async (_what, media, type, body, shown) => {
      const id = await received(media);
      const answer = await send({ type, [type]: { id, ...body } });

      const file = await opened(answer);
      const message = await messageOf(answer['id'], ({ status }) => status === 'delivered');

      expect({ ...file, inside: undefined }).toMatchObject({
        ...shown,
        state: 'opened',
        complaints: [],
        inside: undefined,
      });
      expect(answer).toMatchObject({ content: { type, [type]: { id } }, media: [{ id, type, state: 'pending' }] });
      expect(message['media']).toMatchObject([
        { id, type, state: 'ready', bytes: file.bytes, sha256: Buffer.from(file.sha256, 'hex').toString('base64') },
      ]);
    },
  );

  /** What a channel shows of each kind, beside that nothing is wrong with it. */
  const posts: readonly (readonly [what: string, media: SentFile, type: string, body: Json, shown: object])[] = [
    [
      'a document',
      { kind: 'document', noise: { bytes: 100_003, seed: 9 }, fileName: 'programme.pdf' },
      'document',
      { convert: false, caption: 'The programme' },
      { kind: 'document', bytes: 100_003, caption: 'The programme', fileName: 'programme.pdf' },
    ],
    [
      'a picture',
      { kind: 'image', data: samples.smallPng },
      'image',
      { caption: 'Now' },
      { kind: 'image', mimetype: 'image/jpeg' },
    ],
    [
      'a film like a GIF',
      { kind: 'video', data: samples.earlyIndexMp4 },
      'video',
      { convert: false, gif: true },
      { kind: 'gif' },
    ],
    [
      'a voice message',
      { kind: 'audio', data: samples.voice20Ms, mimetype: 'audio/ogg' },
      'audio',
      { voice: true },
      { kind: 'voice' },
    ],
    [
      'a sticker',
      { kind: 'image', data: samples.smallPng },
      'sticker',
      {},
      { kind: 'sticker', mimetype: 'image/webp' },
    ],
  ];

  it.each(posts)(
    'goes to a channel as it is, by its own path and with its handle: %s',
    async (_what, media, type, body, shown) => {
      const CHANNEL = '120363000000000777@newsletter';
      const id = await received(media);

      const [answer, toAnn] = [
        await send({ to: CHANNEL, type, [type]: { id, ...body } }),
        await send({ type, [type]: { id, ...body } }),
      ];
      await messageOf(answer['id'], ({ status }) => status === 'sent');
      const post = await until(
        'the post',
        async () => (await stage.phones.files.posts(CHANNEL)).find((one) => one.id === answer['stanzaId']),
        (one) => one?.media !== undefined && one.media.state !== 'opening',
        WAIT_MS,
      );
      const inChat = await opened(toAnn);

      expect(post?.media).toMatchObject({ ...shown, state: 'opened', complaints: [], mediaKey: '' });
      expect(inChat).toMatchObject({ ...shown, state: 'opened', complaints: [] });
      expect(inChat.mediaKey).not.toBe('');
    },
  );

  it('goes on to others, answers, is a status, is edited and waits for its time', async () => {
    const data = await comes({ kind: 'image', data: samples.smallPng }, { caption: 'Which one?' });
    const [{ id } = {}] = data['media'] as readonly Json[];
    const audience = { audience: [`+${ANN}`] };

    const forwarded = await send({ type: 'forward', forward: { message_id: data['messageId'] } });
    const answer = await send({ type: 'image', image: { id }, context: { message_id: data['messageId'] } });
    const status = await send({ to: 'status', type: 'image', image: { id, caption: 'New' }, status: audience });
    const later = await send({ type: 'image', image: { id }, not_before: new Date(Date.now() + 3_000).toISOString() });
    await opened(answer);
    const edit = await send({
      to: undefined,
      type: 'edit',
      edit: { message_id: forwarded['id'], caption: 'This one' },
    });

    for (const one of [forwarded, later]) expect(await opened(one)).toMatchObject({ state: 'opened', complaints: [] });
    await messageOf(edit['id'], ({ status: state }) => state === 'delivered');
    await messageOf(status['id'], ({ status: state }) => state === 'delivered');
    expect(await messageOf(forwarded['id'], ({ editedAt }) => editedAt !== undefined)).toMatchObject({
      content: { type: 'image', image: { id, caption: 'This one' } },
      context: { forwarded: 1 },
    });
    expect(await stage.phones.files.shown(ANN, String(status['stanzaId']))).toMatchObject({ caption: 'New' });
  });

  it('is an album: its beginning first, and each picture and film as a part of it, in their order', async () => {
    const [picture, film] = [
      await received({ kind: 'image', data: samples.smallPng }),
      await received({ kind: 'video', data: samples.earlyIndexMp4 }),
    ];
    const answer = await send({
      type: 'album',
      album: {
        parts: [
          { type: 'image', image: { id: picture, caption: 'one' } },
          { type: 'video', video: { id: film, caption: 'two', convert: false } },
          { type: 'image', image: { id: picture, caption: 'three' } },
        ],
      },
    });

    const of = answer['parts'] as readonly Json[];
    const rows = await Promise.all(
      of.map(({ messageId }) => messageOf(messageId, ({ status }) => status === 'delivered')),
    );
    const shown = await Promise.all(rows.map(({ stanzaId }) => stage.phones.files.opened(ANN, String(stanzaId))));
    const order = (await stage.phones.messages(ANN)).map(({ id }) => id);
    const listed = (await stage.api.must('GET', `${path()}/${String(answer['id'])}/parts`))['data'];

    expect(answer).toMatchObject({ content: { type: 'album', album: { images: 2, videos: 1 } } });
    expect(shown).toMatchObject(
      ['one', 'two', 'three'].map((caption) => ({
        caption,
        state: 'opened',
        complaints: [],
        partOf: { id: answer['stanzaId'], as: 'MEDIA_ALBUM' },
      })),
    );
    const wanted = [answer, ...rows].map(({ stanzaId }) => stanzaId);
    expect(order.filter((id) => wanted.includes(id))).toEqual(wanted);
    expect(listed).toMatchObject(rows.map(({ id }) => ({ id, partOf: { kind: 'album', messageId: answer['id'] } })));
  });

  it('is the photo on the card of a contact, which a phone shows', async () => {
    const id = await received({ kind: 'image', data: samples.smallPng });
    const contacts = [{ name: { formatted_name: 'Ada' }, photo: { id } }, { name: { formatted_name: 'Bob' } }];

    const answer = await send({ type: 'contacts', contacts });
    await messageOf(answer['id'], ({ status }) => status === 'delivered');
    const entry = (await stage.phones.messages(ANN)).find((one) => one.id === answer['stanzaId']);
    const told = toContent(Buffer.from(entry?.plaintext ?? '', 'base64'));

    expect(answer).toMatchObject({ content: { type: 'contacts', contacts } });
    expect(told?.content).toMatchObject({
      contacts: [{ name: { formatted_name: 'Ada' } }, { name: { formatted_name: 'Bob' } }],
    });
    expect(told?.files).toEqual([expect.objectContaining({ part: '0.photo', mime_type: 'image/jpeg' })]);
  });

  it('is one upload for many recipients, and they all open it', async () => {
    const people = Array.from({ length: 40 }, (_, place) => `49151${2_000_000 + place}`);
    for (const number of people) await stage.phones.addPhone(number, number);
    const id = await received({ kind: 'document', noise: { bytes: 50_000, seed: 40 } });
    const before = (await stage.phones.files.stats()).uploads;
    const lines = people.map((number) => JSON.stringify({ to: `+${number}`, type: 'document', document: { id } }));

    const answer = await fetch(`${stage.stack.apiUrl}/v1/connections/${stage.connection}/bulk-sends`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stage.api.key}`, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });

    expect(answer.status).toBe(202);
    for (const number of people) {
      const [entry] = await until(
        `the file on ${number}`,
        () => stage.phones.messages(number),
        (all) => all.length > 0,
        WAIT_MS,
      );
      expect(await stage.phones.files.opened(number, entry?.id ?? '')).toMatchObject({
        state: 'opened',
        complaints: [],
      });
    }
    expect((await stage.phones.files.stats()).uploads - before).toBe(1);
  });

  it('comes whatever WhatsApp does with tokens and hosts', async () => {
    const ids = [3, 4, 5].map((seed) => received({ kind: 'document', noise: { bytes: 3_000, seed } }));
    const [first, second, third] = await Promise.all(ids);
    await opened(await send({ type: 'document', document: { id: first } }));

    await stage.phones.files.revokeTokens(SHOP);
    const afterRevoked = await opened(await send({ type: 'document', document: { id: second } }));
    await stage.phones.fault({ kind: 'media_refuse', on: 'upload', status: 503, times: 1 });
    const byTheOther = await opened(await send({ type: 'document', document: { id: third } }));

    expect([afterRevoked.state, byTheOther.state]).toEqual(['opened', 'opened']);
  });

  it('fails with its reason where it cannot be what it is to be, and holds up nobody else', async () => {
    const id = await received({ kind: 'document', noise: { bytes: 3_000, seed: 6 } });

    const failing = await send({ type: 'sticker', sticker: { id } });
    const text = await send({ type: 'text', text: { body: 'and another thing' } });

    expect(await messageOf(failing['id'], ({ status }) => status === 'failed')).toMatchObject({
      error: { code: 'file_wrong_type' },
      media: [{ id, state: 'failed', error: { code: 'wrong_type' } }],
    });
    await messageOf(text['id'], ({ status }) => status === 'delivered');
  });

  it('is refused where it is no file of the tenant', async () => {
    const body = { to: `+${ANN}`, type: 'image', image: { id: 'med_01ARZ3NDEKTSV4RRFFQ69G5FAV' } };

    expect(await stage.api.call('POST', path(), body)).toMatchObject({
      status: 404,
      json: { code: 'media_not_found' },
    });
  });

  it('comes by a link, also by one that was tried in vain before its host was put right', async () => {
    let isThere = false;
    const host = createServer((_request, response) => {
      if (isThere)
        response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from(samples.smallPng, 'base64'));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const link = `http://127.0.0.1:${(host.address() as AddressInfo).port}/Größe.png`;
    const request = { to: `+${ANN}`, type: 'image', image: { link } };

    const first = await send({ type: 'image', image: { link } });
    const failed = await messageOf(first['id'], ({ status }) => status === 'failed');
    isThere = true;
    const again = await until(
      'the link to be tried anew',
      () => stage.api.call('POST', path(), request),
      ({ status }) => status === 202,
      WAIT_MS,
    );

    expect(failed).toMatchObject({
      error: { code: 'file_not_fetched' },
      media: [{ state: 'failed', error: { code: 'link_refused' } }],
    });
    expect(await opened(again.json)).toMatchObject({ state: 'opened', complaints: [], kind: 'image' });
    await new Promise((resolve) => host.close(resolve));
  });

  it('is the picture of the account and of a group, and is found as such', async () => {
    const connection = `/v1/connections/${stage.connection}`;
    const asks = async (place: string, body: Json): Promise<Json> => {
      const { status, json } = await stage.api.call('POST', `${connection}/${place}`, body);
      expect({ status, json }).toMatchObject({ status: 200, json: { state: 'succeeded' } });
      return json['result'] as Json;
    };
    const id = await received({ kind: 'image', data: samples.smallPng });
    const { id: group } = await stage.phones.addGroup(ANN, 'pictures', [SHOP]);

    const own = await asks('profile/picture', { id });
    const ofGroup = await asks(`groups/${group}/picture`, { id });
    const found = await asks(`chats/${encodeURIComponent(`+${SHOP}`)}/picture`, {});
    const none = await asks(`chats/${encodeURIComponent(`+${ANN}`)}/picture`, { size: 'preview' });
    await asks(`groups/${group}/picture/remove`, {});

    const jpeg = await stage.phones.files.pictureOf(`${SHOP}@s.whatsapp.net`);
    expect([own, ofGroup]).toMatchObject([{ set: true }, { set: true, group: { id: group } }]);
    expect(jpeg?.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(await stage.phones.files.pictureOf(group)).toBeUndefined();
    expect(found).toMatchObject({ picture: 'found', pictureId: own['pictureId'], media: { id: expect.any(String) } });
    expect(none).toMatchObject({ picture: 'none' });
    const mediaId = String((found['media'] as Json)['id']);
    await until(
      'the picture to be here',
      () => stage.api.must('GET', `/v1/media/${mediaId}/info`),
      ({ state }) => state === 'ready',
      WAIT_MS,
    );
    const file = await fetch(`${stage.stack.apiUrl}/v1/media/${mediaId}`, {
      headers: { authorization: `Bearer ${stage.api.key}` },
    });
    expect(Buffer.from(await file.arrayBuffer())).toEqual(jpeg);
  });
});
