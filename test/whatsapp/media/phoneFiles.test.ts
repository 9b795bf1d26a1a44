import { proto } from '@whiskeysockets/baileys';
import { createHash } from 'node:crypto';
import { downloadMediaMessage, type AnyMessageContent, type WAMessage } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhatsAppClient } from '../client.ts';
import { isCaughtUp, openPlainSocket, PlainAccount, pairByQr, type PlainSocket } from '../plainSocket.ts';
import { silenceConsole } from '../silenceConsole.ts';
import { assertSound } from '../sockets.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../simulator.ts';
import { until } from '../until.ts';
import type { SentFile } from './fileClient.ts';
import type { FileKind } from './fileKinds.ts';
import { mediaAgent, mediaDispatcher } from './mediaRedirect.ts';
import type { SPOILED } from './outgoingFile.ts';
import { noiseOf } from './outgoingFile.ts';
import { samples } from './sampleFiles.ts';
import type { FileComplaint } from './shownFile.ts';
import { THUMBNAIL } from './thumbnail.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
const CAT = '4915100000003';
const WAVEFORM = Array.from({ length: 64 }, (_, place) => place);
/** More than two parts of a sidecar, and no whole number of blocks. */
const BYTES = 200_001;

const noise = async (bytes: number, seed: number): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(noiseOf({ bytes, seed })));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('files between phones and a real Baileys socket', () => {
  let whatsApp: WhatsAppSimulator;
  let client: WhatsAppClient;
  let ann: PlainSocket;
  /** What the socket told of contacts. */
  const pictures: unknown[] = [];
  beforeAll(async () => {
    whatsApp = await startWhatsApp();
    client = new WhatsAppClient(whatsApp.controlUrl);
    for (const [number, name] of Object.entries({ [ANN]: 'Ann', [BOB]: 'Bob', [CAT]: 'Cat' })) {
      await client.addPhone(number, name);
    }
    const account = new PlainAccount();
    (await pairByQr(account, whatsApp, (qr) => client.scan(ANN, qr))).close();
    ann = openPlainSocket(account, whatsApp, { fetchAgent: mediaAgent, options: { dispatcher: mediaDispatcher } });
    ann.socket.ev.on('contacts.update', (updates) => pictures.push(...updates));
    await ann.until('the end of the offline queue', isCaughtUp);
  });
  afterAll(async () => {
    ann.close();
    await whatsApp.stop();
    assertSound(whatsApp);
  });

  /** The message of an id, as the socket got it. */
  const received = (id: string): Promise<WAMessage> =>
    until(
      'the message',
      () => ann.received.find(({ key }) => key.id === id),
      (message) => message !== undefined,
    ).then((message) => message as WAMessage);
  const download = (message: WAMessage): Promise<Buffer> =>
    downloadMediaMessage(message, 'buffer', { options: { dispatcher: mediaDispatcher } });
  /** What a phone shows, once it shows a message of that id. */
  const shownTo = (number: string, id: string | null | undefined) =>
    until(
      'the file',
      () => client.messages(number),
      (all) => all.some((message) => message.id === id),
    );
  const seenBy = async (number: string, id: string | null | undefined) => client.files.opened(number, id ?? '');

  it.each<readonly [kind: FileKind, said: Partial<SentFile>]>([
    ['image', { width: 1_600, height: 1_200 }],
    ['video', { width: 848, height: 480, seconds: 12 }],
    ['video_note', { width: 400, height: 400, seconds: 5 }],
    ['gif', { seconds: 2 }],
    ['audio', { seconds: 180 }],
    ['voice', { seconds: 6, waveform: WAVEFORM }],
    ['document', { fileName: 'a.pdf', pages: 2 }],
    ['sticker', { width: 512, height: 512, animated: true }],
  ])('a phone sends a file as %s, and the socket opens it', async (kind, said) => {
    const caption = ['image', 'video', 'document'].includes(kind) ? 'look' : undefined;
    const seed = kind.length;
    const file = { kind, noise: { bytes: BYTES, seed }, ...said } as SentFile;

    const id = await client.files.send(BOB, ANN, file, caption === undefined ? {} : { caption });
    const message = await received(id);

    expect(sha256(await download(message))).toBe(sha256(await noise(BYTES, seed)));
    // The phone of the same account was sent it, too, and opens it for itself.
    expect(await seenBy(ANN, id)).toMatchObject({
      ...said,
      state: 'opened',
      complaints: [],
      kind,
      ...(caption === undefined ? {} : { caption }),
      bytes: BYTES,
      sidecar: ['image', 'document', 'sticker'].includes(kind) ? 'none' : 'right',
      wrappers: kind === 'document' ? ['documentWithCaptionMessage'] : [],
    });
  });

  it.each<readonly [kind: FileKind, content: (bytes: Buffer) => AnyMessageContent, said: object]>([
    [
      'image',
      (image) => ({ image, caption: 'look', jpegThumbnail: THUMBNAIL.toString('base64') }),
      { thumbnailBytes: THUMBNAIL.length },
    ],
    ['video', (video) => ({ video, seconds: 3, jpegThumbnail: THUMBNAIL.toString('base64') }), { seconds: 3 }],
    ['video_note', (video) => ({ video, ptv: true, jpegThumbnail: THUMBNAIL.toString('base64') }), {}],
    ['gif', (video) => ({ video, gifPlayback: true, jpegThumbnail: THUMBNAIL.toString('base64') }), {}],
    ['audio', (audio) => ({ audio, mimetype: 'audio/mp4', seconds: 60 }), { seconds: 60, mimetype: 'audio/mp4' }],
    [
      'voice',
      (audio) => ({ audio, ptt: true, seconds: 6, waveform: Uint8Array.from(WAVEFORM) }),
      { waveform: WAVEFORM },
    ],
    [
      'document',
      (document) => ({ document, mimetype: 'application/pdf', fileName: 'a.pdf', caption: 'look' }),
      { caption: 'look', fileName: 'a.pdf' },
    ],
    ['sticker', (sticker) => ({ sticker, isAnimated: true }), { animated: true, mimetype: 'image/webp' }],
  ])('the socket sends a file as %s, and phones open it', async (kind, content, said) => {
    const bytes = await noise(BYTES, 50 + kind.length);

    const sent = await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, content(bytes));
    const shown = await shownTo(BOB, sent?.key.id);

    expect(shown.at(-1)?.kind).toBe(kind);
    const expected = { ...said, state: 'opened', complaints: [], bytes: BYTES, sha256: sha256(bytes), kind };
    expect(await seenBy(BOB, sent?.key.id)).toMatchObject(expected);
    expect(await seenBy(ANN, sent?.key.id)).toMatchObject(expected);
    expect(await client.media(BOB, sent?.key.id ?? '')).toEqual(bytes);
    const { sealedSha256 } = await client.files.shown(BOB, sent?.key.id ?? '');
    const counted = (await client.files.stats()).files.find((file) => file.sha256 === sealedSha256);
    expect(counted).toMatchObject({ uploads: 1, downloads: 0 });
  });

  it.each<readonly [spoil: (typeof SPOILED)[number], complaint: FileComplaint]>([
    ['mac', 'unauthentic'],
    ['hash', 'other_hash'],
    ['sealed_hash', 'other_sealed_hash'],
    ['length', 'other_length'],
    ['key', 'unauthentic'],
    ['no_key', 'no_key'],
    ['no_path', 'no_path'],
    ['gone', 'gone'],
  ])('a phone complains of a file whose %s is wrong', async (spoil, complaint) => {
    const id = await client.files.send(BOB, CAT, { kind: 'voice', noise: { bytes: 5_000 }, spoil });

    expect(await seenBy(CAT, id)).toMatchObject({ state: 'unopened', complaints: [complaint] });
    expect(await client.files.complaints(CAT)).toContainEqual(expect.objectContaining({ id, complaints: [complaint] }));
    await expect(client.media(CAT, id)).rejects.toThrow('has not opened it');
  });

  it('complains of what is said of a file and cannot be so', async () => {
    const id = await client.files.send(BOB, CAT, {
      kind: 'voice',
      data: 'AAAA',
      waveform: [1, 2, 101],
    });
    const picture = await client.files.send(BOB, CAT, { kind: 'image', data: 'AAAA', thumbnail: 'AAAA' });

    expect((await seenBy(CAT, id)).complaints).toEqual(['broken_waveform']);
    expect((await seenBy(CAT, picture)).complaints).toEqual(['broken_thumbnail']);
  });

  it.each<readonly [what: string, file: SentFile, complaints: readonly FileComplaint[], inside: object]>([
    [
      'a voice note',
      { kind: 'voice', data: samples.voice60Ms },
      [],
      { packetCodes: [3], packetMs: [60], rate: 16_000 },
    ],
    [
      'a film',
      { kind: 'video', data: samples.lateIndexMp4, width: 240, height: 320 },
      [],
      { indexFirst: false, seconds: 1.5 },
    ],
    ['a sticker', { kind: 'sticker', data: samples.stickerWebp }, [], { format: 'webp', animated: false }],
    ['a pack of stickers', { kind: 'sticker_pack', noise: { bytes: BYTES } }, [], { format: 'unknown' }],
    [
      'a small sticker',
      { kind: 'sticker', data: samples.animatedWebp },
      ['odd_sticker'],
      { animated: true, frames: 3 },
    ],
    ['a picture of another format', { kind: 'image', data: samples.smallPng }, ['other_type'], { format: 'png' }],
    [
      'a picture of another size',
      { kind: 'image', data: samples.smallPng, mimetype: 'image/png', width: 9 },
      ['other_area'],
      {},
    ],
    ['a voice note of another length', { kind: 'voice', data: samples.voice20Ms, seconds: 9 }, ['other_seconds'], {}],
    ['a film as a voice note', { kind: 'voice', data: samples.lateIndexMp4 }, ['other_type', 'voice_not_opus'], {}],
  ])('a phone looks into %s', async (_what, file, complaints, inside) => {
    const id = await client.files.send(BOB, CAT, file);

    expect(await seenBy(CAT, id)).toMatchObject({ complaints, inside });
  });

  it('sends an album with its parts, a twin in a better quality, and what is to be seen once', async () => {
    const picture = (seed: number): SentFile => ({ kind: 'image', noise: { bytes: 100, seed } });
    const album = await client.files.album(BOB, ANN, [
      { media: picture(1), caption: 'one' },
      { media: { kind: 'video', noise: { bytes: 100, seed: 2 } } },
    ]);
    const twin = await client.files.send(BOB, ANN, picture(3), { hdOf: album.parts[0] ?? '' });
    const once = await client.files.send(BOB, ANN, picture(4), { viewOnce: 'given' });
    const withheld = await client.files.send(BOB, ANN, picture(5), { viewOnce: 'withheld' });

    const begun = await received(album.id);
    expect(begun.message?.albumMessage).toMatchObject({ expectedImageCount: 1, expectedVideoCount: 1 });
    const partOf = { id: album.id, as: 'MEDIA_ALBUM' };
    expect(await seenBy(ANN, album.parts[0])).toMatchObject({ caption: 'one', partOf, complaints: [] });
    expect(await seenBy(ANN, album.parts[1])).toMatchObject({ kind: 'video', partOf, complaints: [] });
    expect(await seenBy(ANN, twin)).toMatchObject({
      partOf: { id: album.parts[0], as: 'HD_IMAGE_DUAL_UPLOAD' },
      wrappers: ['associatedChildMessage'],
    });
    expect(await seenBy(ANN, once)).toMatchObject({ viewOnce: true, wrappers: ['viewOnceMessageV2'] });
    expect(await download(await received(once))).toEqual(await noise(100, 4));
    // The phone has it; a linked device is told that there is something.
    expect(await seenBy(ANN, withheld)).toMatchObject({ viewOnce: true, state: 'opened' });
    expect(ann.received.some(({ key }) => key.id === withheld)).toBe(false);
  });

  describe('when a file is gone and the socket asks its phone for it', () => {
    const lost = async (seed: number) => {
      const id = await client.files.send(BOB, ANN, { kind: 'document', noise: { bytes: BYTES, seed } });
      const message = await received(id);
      const { sealedSha256 } = await seenBy(ANN, id);
      expect(await client.files.expire(sealedSha256)).toBe(1);
      await expect(download(message)).rejects.toThrow('Failed to fetch');
      return { id, message, sealedSha256 };
    };

    it('the phone uploads it again, and the answer opens with the key of the file', async () => {
      const { id, message, sealedSha256 } = await lost(60);
      const before = message.message?.documentMessage?.directPath;

      const renewed = await ann.socket.updateMediaMessage(message);

      expect(renewed.message?.documentMessage?.directPath).not.toBe(before);
      expect(sha256(await download(renewed))).toBe(sha256(await noise(BYTES, 60)));
      expect((await client.files.shown(ANN, id)).directPath).toBe(renewed.message?.documentMessage?.directPath);
      expect((await client.files.stats()).againRequests[ANN]).toBe(1);
      const counted = async () => (await client.files.stats()).files.find((file) => file.sha256 === sealedSha256);
      await expect.poll(counted).toMatchObject({ downloads: 1, uploads: 0 });
    });

    it('a phone without the file says so, and a fault makes it say what else there is', async () => {
      const { id, message } = await lost(61);
      await client.fault({ kind: 'upload_again', number: ANN, times: 1, answer: 'general_error', form: 'sealed' });
      await expect(ann.socket.updateMediaMessage(message)).rejects.toMatchObject({ output: { statusCode: 418 } });
      await client.fault({ kind: 'upload_again', number: ANN, times: 1, answer: 'foreign_seal' });
      await expect(ann.socket.updateMediaMessage(message)).rejects.toThrow('authenticate');
      await client.files.remove(ANN, id);
      await expect(ann.socket.updateMediaMessage(message)).rejects.toMatchObject({ output: { statusCode: 404 } });
    });

    it('a phone without a connection answers when it is back', async () => {
      const { message } = await lost(62);
      await client.files.disconnect(ANN);
      let isAnswered = false;
      const answer = ann.socket.updateMediaMessage(message).finally(() => (isAnswered = true));
      // A later query has gone to the server and back: an answer would have come before.
      await ann.socket.onWhatsApp(BOB);
      expect(isAnswered).toBe(false);

      await client.files.connect(ANN);

      expect(sha256(await download(await answer))).toBe(sha256(await noise(BYTES, 62)));
    });
  });

  it('uploads to the second host when the first is dead, and with another token when the first has ended', async () => {
    await client.fault({ kind: 'media_dead', host: 0, on: 'upload', times: 1 });
    const document = { document: Buffer.from('one'), mimetype: 'text/plain' };
    const sent = await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, document);
    const [dead, taken] = (await client.files.requests()).slice(-2);
    expect([dead?.host, dead?.status, taken?.host, taken?.status]).toEqual([0, 0, 1, 200]);
    expect((await seenBy(BOB, sent?.key.id)).complaints).toEqual([]);

    const before = (await client.files.stats()).connections[ANN] ?? 0;
    expect(await client.files.revokeTokens(ANN)).toBeGreaterThan(0);
    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { ...document, document: Buffer.from('two') });
    const statuses = (await client.files.requests()).slice(-2).map(({ status }) => status);
    expect(statuses).toEqual([403, 200]);
    expect((await client.files.stats()).connections[ANN]).toBe(before + 1);
  });

  it('files go to groups and come from them', async () => {
    const { id: group } = await client.addGroup(BOB, 'files', [ANN, CAT]);
    const id = await client.files.send(
      BOB,
      group,
      { kind: 'image', noise: { bytes: 100, seed: 70 } },
      { caption: 'all' },
    );
    expect(await download(await received(id))).toEqual(await noise(100, 70));
    expect(await seenBy(CAT, id)).toMatchObject({ caption: 'all', complaints: [] });

    const sent = await ann.socket.sendMessage(group, { document: await noise(100, 71), mimetype: 'text/plain' });

    await shownTo(CAT, sent?.key.id);
    expect(await seenBy(CAT, sent?.key.id)).toMatchObject({ kind: 'document', state: 'opened', complaints: [] });
  });

  it('files go into status updates and come from them', async () => {
    const id = await client.files.status(BOB, [ANN], { kind: 'image', noise: { bytes: 100, seed: 72 } }, 'today');
    const message = await received(id);
    expect([message.key.remoteJid, message.message?.imageMessage?.caption]).toEqual(['status@broadcast', 'today']);
    expect(await download(message)).toEqual(await noise(100, 72));

    const image = { image: await noise(100, 73), jpegThumbnail: THUMBNAIL.toString('base64') };
    const readers = { statusJidList: [`${BOB}@s.whatsapp.net`] };
    const sent = await ann.socket.sendMessage('status@broadcast', image, readers);

    await shownTo(BOB, sent?.key.id);
    expect(await seenBy(BOB, sent?.key.id)).toMatchObject({ kind: 'image', state: 'opened', complaints: [] });
    expect((await client.messages(BOB)).at(-1)).toMatchObject({ chat: 'status@broadcast', from: ANN });
    expect((await client.messages(CAT)).map(({ id: shown }) => shown)).not.toContain(sent?.key.id);
  });

  it('a phone leaves larger files to its owner, and opens them when it is told to', async () => {
    await client.files.openUpTo(CAT, BYTES - 1);
    const large = await client.files.send(BOB, CAT, { kind: 'document', noise: { bytes: BYTES, seed: 76 } });
    const small = await client.files.send(BOB, CAT, { kind: 'document', noise: { bytes: BYTES - 1, seed: 77 } });
    await shownTo(CAT, small);
    expect(await seenBy(CAT, small)).toMatchObject({ state: 'opened' });
    expect(await seenBy(CAT, large)).toMatchObject({ state: 'left', complaints: [] });

    await client.files.openUpTo(CAT, null);

    expect(await client.files.shown(CAT, large)).toMatchObject({ state: 'opened', complaints: [] });
    const next = await client.files.send(BOB, CAT, { kind: 'document', noise: { bytes: BYTES, seed: 78 } });
    await shownTo(CAT, next);
    expect(await seenBy(CAT, next)).toMatchObject({ state: 'opened' });
  });

  describe('in channels, where files are not sealed', () => {
    const CHANNEL = '120363000000000001@newsletter';
    const written = async (id: string | null | undefined) =>
      until(
        'the post',
        async () => (await client.files.posts(CHANNEL)).find((post) => post.id === id)?.media,
        (media) => media !== undefined && media.state !== 'opening',
      );

    it('a post brings a file as it is', async () => {
      const id = await client.files.post(ANN, CHANNEL, { kind: 'image', noise: { bytes: 100, seed: 74 } }, 'news');
      const { message } = await received(id);
      expect(message?.imageMessage).toMatchObject({ caption: 'news' });
      expect(message?.imageMessage?.mediaKey?.length ?? 0).toBe(0);

      const answer = await fetch(`http://${whatsApp.mediaHosts[0]}${message?.imageMessage?.directPath}`);

      expect(Buffer.from(await answer.arrayBuffer())).toEqual(await noise(100, 74));
    });

    it('nobody sees a file that was uploaded as one of a chat, and whose handle is not named', async () => {
      const sent = await ann.socket.sendMessage(CHANNEL, { image: await noise(100, 75) });

      expect(await written(sent?.key.id)).toMatchObject({
        state: 'unopened',
        complaints: ['other_folder', 'no_handle', 'no_media_type'],
      });
    });

    it('a file is seen that was uploaded by the path of channels, and whose handle is named', async () => {
      const bytes = await noise(100, 76);
      const hash = createHash('sha256').update(bytes).digest('base64url');
      const { auth } = await ann.socket.refreshMediaConn();
      const link = `http://${whatsApp.mediaHosts[0]}/newsletter/newsletter-image/${hash}?auth=${auth}&token=${hash}`;
      const uploaded = await fetch(link, { method: 'POST', body: new Uint8Array(bytes) });
      const { direct_path: directPath, handle } = (await uploaded.json()) as Record<'direct_path' | 'handle', string>;
      const fileSha256 = createHash('sha256').update(bytes).digest();
      const imageMessage = { directPath, fileSha256, fileLength: 100, mimetype: 'image/jpeg' };

      const content = proto.Message.encode({ imageMessage }).finish();
      const post = async (id: string, mediatype: Readonly<Record<string, string>>) => {
        const attrs = { to: CHANNEL, id, type: 'media', media_id: handle };
        await ann.socket.sendNode({
          tag: 'message',
          attrs,
          content: [{ tag: 'plaintext', attrs: mediatype, content }],
        });
        return written(id);
      };

      expect(await post('POST-1', { mediatype: 'image' })).toMatchObject({ state: 'opened', complaints: [] });
      expect(await post('POST-2', {})).toMatchObject({ state: 'unopened', complaints: ['no_media_type'] });
    });
  });

  it('people and groups have pictures, whose changes are told', async () => {
    const { id: group } = await client.addGroup(BOB, 'pictures', [ANN]);
    await expect(ann.socket.profilePictureUrl(group)).rejects.toMatchObject({ data: 404 });

    await client.files.setPicture(BOB, THUMBNAIL, group);
    await client.files.setPicture(BOB, THUMBNAIL);

    for (const target of [group, `${BOB}@s.whatsapp.net`]) {
      const url = (await ann.socket.profilePictureUrl(target)) ?? '';
      const answer = await fetch(url.replace('https', 'http'));
      expect([answer.headers.get('content-type'), Buffer.from(await answer.arrayBuffer())]).toEqual([
        'image/jpeg',
        THUMBNAIL,
      ]);
    }
    expect(pictures).toContainEqual({ id: group, imgUrl: 'changed' });
    await client.files.setPicture(BOB, undefined, group);
    await expect(ann.socket.profilePictureUrl(group)).rejects.toMatchObject({ data: 404 });
  });
});
