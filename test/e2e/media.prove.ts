import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTenant } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import { FILE_KINDS } from '../whatsapp/media/fileKinds.ts';
import type { SentFile } from '../whatsapp/media/fileClient.ts';
import { readInside } from '../whatsapp/media/inside.ts';
import { THUMBNAIL } from '../whatsapp/media/thumbnail.ts';
import { noiseOf } from '../whatsapp/media/outgoingFile.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const CHANNEL = '120363000000000001@newsletter';
const WAIT_MS = 60_000;
/** What a worker logs when its request has left. */
const ASKED = 'the phone is asked for a file';

type Json = Readonly<Record<string, unknown>>;

/** Files go from a phone through every process of the embedded stack, and come out of the API as they went in. */
describe('files of messages', () => {
  let stage: PairedStack;
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN);
  });
  afterAll(() => stage.stop());

  const send = (media: SentFile) => stage.phones.files.send(ANN, SHOP, media);
  /** An event of some types about a file or its message. */
  const told = (types: readonly string[], isIt: (data: Json) => boolean): Promise<Json> =>
    until(
      types.join(' or '),
      () => stage.receiver.events.find(({ type, data }) => types.includes(type) && isIt(data))?.data,
      (data) => data !== undefined,
      WAIT_MS,
    ) as Promise<Json>;
  const received = async (stanzaId: string) => {
    const data = await told(['message.received'], (one) => one['stanzaId'] === stanzaId);
    const [media = {}] = (data['media'] ?? []) as readonly Json[];
    return { messageId: String(data['messageId']), media };
  };
  /** What became of the file of a message. */
  const ended = async (stanzaId: string): Promise<Json> => {
    const { messageId } = await received(stanzaId);
    const data = await told(['media.ready', 'media.failed'], (one) => one['messageId'] === messageId);
    return data['media'] as Json;
  };
  /** Sends a file until the worker treats one so: it takes settings over a moment after they were changed. */
  const untilIs = (isLeft: boolean, media: SentFile) =>
    until(
      isLeft ? 'a file that is left' : 'a file that is fetched',
      async () => {
        const stanzaId = await send(media);
        return { stanzaId, media: (await received(stanzaId)).media };
      },
      (one) => (one.media['state'] === 'left') === isLeft,
      WAIT_MS,
    );
  const setPolicy = (media: Json | null) =>
    stage.api.must('PATCH', `/v1/connections/${stage.connection}`, { settings: { media } });
  /** Ends a policy of files, and waits until that holds. */
  const letFilesCome = async (): Promise<void> => {
    await setPolicy(null);
    const { stanzaId } = await untilIs(false, { kind: 'document', noise: { bytes: 30_000, seed: 900 } });
    await ended(stanzaId);
  };
  /** The answer of a route that may lead elsewhere. */
  const ask = (mediaId: unknown, headers: Readonly<Record<string, string>> = {}, key = stage.api.key) =>
    fetch(`${stage.stack.apiUrl}/v1/media/${String(mediaId)}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
      redirect: 'manual',
    });
  const download = async (mediaId: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await ask(mediaId);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([302, 'no-store']);
    return fetch(answer.headers.get('location') ?? '', { headers });
  };

  it.each(FILE_KINDS)('come as they went: %s', async (kind) => {
    const noise = { bytes: 100_001, seed: FILE_KINDS.indexOf(kind) };
    const stanzaId = await send({ kind, noise });

    const { messageId, media: first } = await received(stanzaId);
    const media = await ended(stanzaId);
    const shown = await stage.api.must('GET', `/v1/connections/${stage.connection}/messages/${messageId}`);
    const file = await download(media['id']);
    const bytes = Buffer.from(await file.arrayBuffer());

    const expected = await bytesOf(noise);
    expect(first).toMatchObject({ id: media['id'], state: 'pending' });
    expect(media).toMatchObject({ state: 'ready', bytes: expected.length, sha256: sha256Of(expected) });
    expect(shown['media']).toEqual([media]);
    expect(bytes.equals(expected)).toBe(true);
  });

  it('have a small picture before they are here, with nothing in it but the picture, as long as they are kept', async () => {
    const remark = Buffer.from('<script>alert(1)</script>');
    const segment = Buffer.from([0xff, 0xfe, 0, remark.length + 2]);
    const dressed = Buffer.concat([THUMBNAIL.subarray(0, 2), segment, remark, THUMBNAIL.subarray(2), remark]);
    const noise = { bytes: 1_000, seed: 200 };
    const media = await ended(await send({ kind: 'image', noise, thumbnail: dressed.toString('base64') }));
    const bad = await ended(await send({ kind: 'image', noise, thumbnail: remark.toString('base64') }));
    const get = (id: unknown) => ask(`${String(id)}/thumbnail`);

    const small = await get(media['id']);
    const bytes = Buffer.from(await small.arrayBuffer());
    const withNone = [bad['thumbnail'], (await get(bad['id'])).status];
    await stage.api.must('DELETE', `/v1/media/${String(media['id'])}`);

    expect(media['thumbnail']).toBe(`/v1/media/${String(media['id'])}/thumbnail`);
    expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(small.headers.get('x-content-type-options')).toBe('nosniff');
    expect(readInside(bytes, true)).toEqual(readInside(THUMBNAIL, true));
    expect(bytes.includes('script')).toBe(false);
    expect(withNone).toEqual([undefined, 404]);
    expect((await get(media['id'])).status).toBe(410);
  });

  it('of many megabytes come in parts, and are given in ranges', async () => {
    const noise = { bytes: 21 * 1_024 * 1_024 + 7, seed: 100 };
    const media = await ended(await send({ kind: 'document', noise, fileName: 'Rechnung "März" 🧾.bin' }));

    const whole = Buffer.from(await (await download(media['id'])).arrayBuffer());
    const range = await download(media['id'], { range: 'bytes=1000000-1000009' });

    const expected = await bytesOf(noise);
    expect(whole.equals(expected)).toBe(true);
    expect(range.status).toBe(206);
    expect(Buffer.from(await range.arrayBuffer())).toEqual(expected.subarray(1_000_000, 1_000_010));
    expect(range.headers.get('content-disposition')).toContain("filename*=UTF-8''Rechnung");
  });

  it('run nowhere: what a browser could run is saved', async () => {
    const data = Buffer.from('<script>alert(document.domain)</script>').toString('base64');
    const media = await ended(await send({ kind: 'document', data, mimetype: 'text/html', fileName: 'x.html' }));

    const file = await download(media['id']);

    expect(file.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(file.headers.get('content-type')).not.toContain('html');
  });

  it('of a status, and of a channel, where they are not sealed, come as they went', async () => {
    const [ofStatus, ofChannel] = [
      { bytes: 30_001, seed: 150 },
      { bytes: 40_001, seed: 151 },
    ];
    const status = await stage.phones.files.status(ANN, [SHOP], { kind: 'video', noise: ofStatus }, 'look');
    const channel = await stage.phones.files.post(SHOP, CHANNEL, { kind: 'image', noise: ofChannel }, 'news');

    const media = [await ended(status), await ended(channel)];
    const files = await Promise.all(media.map(async ({ id }) => (await download(id)).arrayBuffer()));

    const expected = [await bytesOf(ofStatus), await bytesOf(ofChannel)];
    expect(media).toMatchObject(expected.map((bytes) => ({ state: 'ready', sha256: sha256Of(bytes) })));
    expect(files.map((file, place) => expected[place]?.equals(Buffer.from(file)))).toEqual([true, true]);
  });

  it('of an album, and of a picture and its twin in high definition, come each', async () => {
    const image = (seed: number): SentFile => ({ kind: 'image', noise: { bytes: 10_000 + seed, seed } });
    const album = await stage.phones.files.album(ANN, SHOP, [{ media: image(170) }, { media: image(171) }]);
    const picture = await send(image(172));
    const twin = await stage.phones.files.send(ANN, SHOP, image(173), { hdOf: picture });

    const media = await Promise.all(
      [...album.parts, picture, twin].map(async (stanzaId) => {
        const whole = (one: Json): Json => (one['part'] ?? one) as Json;
        const data = await told(['message.received', 'message.updated'], (one) => whole(one)['stanzaId'] === stanzaId);
        const { messageId } = whole(data);
        return (await told(['media.ready', 'media.failed'], (one) => one['messageId'] === messageId))['media'] as Json;
      }),
    );

    expect(media).toMatchObject([170, 171, 172, 173].map((seed) => ({ state: 'ready', bytes: 10_000 + seed })));
  });

  it.each([
    ['no_key', 'key_unusable'],
    ['no_path', 'no_place'],
  ] as const)('that nobody could fetch or open are told to have failed with their message: %s', async (spoil, code) => {
    const { media } = await received(await send({ kind: 'image', noise: { bytes: 2_000, seed: 160 }, spoil }));

    expect(media).toMatchObject({ state: 'failed', error: { code } });
  });

  it.each([
    ['mac', 'mac_differs'],
    ['hash', 'hash_differs'],
    ['gone', 'gone'],
  ] as const)('that are not what they should be are told, and nothing is kept of them: %s', async (spoil, code) => {
    const media = await ended(await send({ kind: 'image', noise: { bytes: 5_000, seed: 200 + code.length }, spoil }));

    const answer = await ask(media['id']);

    expect(media).toMatchObject({ state: 'failed', error: { code } });
    expect(answer.status).toBe(410);
    expect(await answer.json()).toMatchObject({ code: 'media_failed' });
  });

  it('are left where the settings say so, and fetched when they are asked for', async () => {
    await setPolicy({ mostBytes: 3_000 });
    const { media: left } = await untilIs(true, { kind: 'image', noise: { bytes: 4_000, seed: 300 } });
    const before = await ask(left['id']);

    const asked = await stage.api.must('POST', `/v1/media/${String(left['id'])}/fetch`);
    const media = await told(['media.ready'], (one) => (one['media'] as Json)['id'] === left['id']);

    expect([before.status, await before.json()]).toMatchObject([409, { code: 'media_left' }]);
    expect(asked).toMatchObject({ state: 'pending' });
    expect(media['media']).toMatchObject({ state: 'ready', bytes: 4_000 });
    await letFilesCome();
  });

  it('that WhatsApp no longer has are given by the phone of the account, and told once', async () => {
    const noise = { bytes: 50_001, seed: 600 };
    await stage.phones.fault({ kind: 'media_refuse', on: 'download', status: 410, times: 1 });

    const media = await ended(await send({ kind: 'image', noise }));

    const file = await download(media['id']);
    expect(media).toMatchObject({ state: 'ready', sha256: sha256Of(await bytesOf(noise)) });
    expect(Buffer.from(await file.arrayBuffer()).equals(await bytesOf(noise))).toBe(true);
    expect((await stage.phones.files.stats()).againRequests[SHOP]).toBeGreaterThanOrEqual(1);
  });

  it('come when a phone that was off is on again, though another worker asked for them', async () => {
    await setPolicy({ mostBytes: 5_000 });
    const left = await untilIs(true, { kind: 'image', noise: { bytes: 6_000, seed: 610 } });
    await stage.phones.files.opened(SHOP, left.stanzaId);
    const { sealedSha256 } = await stage.phones.files.shown(SHOP, left.stanzaId);
    await stage.phones.files.expire(sealedSha256);
    await stage.phones.files.disconnect(SHOP);
    await stage.api.must('POST', `/v1/media/${String(left.media['id'])}/fetch`);
    await until(
      'the request to the phone',
      () => logsOf(stage.stack).filter((line) => line.includes(String(left.media['id'])) && line.includes(ASKED)),
      (lines) => lines.length > 0,
      WAIT_MS,
    );
    await stage.stack.replaceWorker(0, 'SIGKILL');

    await stage.phones.files.connect(SHOP);

    const media = await told(
      ['media.ready', 'media.failed'],
      (one) => (one['media'] as Json)['id'] === left.media['id'],
    );
    expect(media['media']).toMatchObject({ state: 'ready', bytes: 6_000 });
    await letFilesCome();
  });

  it('are nobody else’s', async () => {
    const media = await ended(await send({ kind: 'image', noise: { bytes: 1_000, seed: 400 } }));
    const other = await makeTenant(stage.stack.apiUrl, stage.stack.operatorKey, 'Other');

    const answers = await Promise.all([
      ask(media['id'], {}, other.key),
      ask('med_01ARZ3NDEKTSV4RRFFQ69G5FAV'),
      ask('../secret'),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it('of a message that is slow hold up no other message', async () => {
    await stage.phones.fault({ kind: 'media_body', on: 'download', how: 'slow', bytesPerSecond: 2_000, times: 1 });
    const slow = await send({ kind: 'document', noise: { bytes: 12_000, seed: 500 } });
    await received(slow);
    const text = await stage.phones.write(ANN, SHOP, 'and another thing');

    const heard = await told(['message.received'], (one) => one['stanzaId'] === text);

    expect(heard['content']).toMatchObject({ type: 'text' });
    expect(await ended(slow)).toMatchObject({ state: 'ready' });
  });

  it('are gone with their connection, and are not fetched anew', async () => {
    const media = await ended(await send({ kind: 'document', noise: { bytes: 5_000, seed: 600 } }));
    const path = `/v1/media/${String(media['id'])}`;
    const { headers } = await ask(media['id']);

    await stage.api.must('DELETE', `/v1/connections/${stage.connection}`);
    await until(
      'the deletion told',
      () => stage.receiver.events.some(({ type }) => type === 'connection.deleted'),
      (isTold) => isTold,
      WAIT_MS,
    );
    const info = await until(
      'the file being gone',
      () => stage.api.must('GET', `${path}/info`),
      ({ state }) => state === 'gone',
      WAIT_MS,
    );
    const bytes = await until(
      'the bytes being gone',
      async () => (await fetch(headers.get('location') ?? '')).status,
      (status) => status === 404,
      WAIT_MS,
    );
    const fetched = await stage.api.call('POST', `${path}/fetch`);

    expect([info['state'], bytes, (await ask(media['id'])).status]).toEqual(['gone', 404, 410]);
    expect([fetched.status, fetched.json['code']]).toEqual([404, 'connection_not_found']);
  });
});

async function bytesOf(noise: { readonly bytes: number; readonly seed: number }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of noiseOf(noise)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

function logsOf({ logs }: PairedStack['stack']): readonly string[] {
  return readdirSync(logs).flatMap((name) => readFileSync(join(logs, name), 'utf8').split('\n'));
}
