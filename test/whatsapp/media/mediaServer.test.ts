import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WhatsAppClient } from '../client.ts';
import { assertSound } from '../sockets.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../simulator.ts';
import { until } from '../until.ts';
import { noiseOf } from './outgoingFile.ts';

const ANN = '4915100000001';
const BYTES = 150_000;

/** What any client may ask of the media hosts, whatever library it is made with. */
describe('the media hosts', () => {
  let whatsApp: WhatsAppSimulator;
  let client: WhatsAppClient;
  beforeAll(async () => {
    whatsApp = await startWhatsApp();
    client = new WhatsAppClient(whatsApp.controlUrl);
  });
  afterAll(async () => {
    await whatsApp.stop();
    assertSound(whatsApp);
  });
  afterEach(() => client.clearFaults());

  let seeds = 0;
  const fresh = async (): Promise<Buffer> =>
    Buffer.concat(await Array.fromAsync(noiseOf({ bytes: BYTES, seed: (seeds += 1) })));
  const token = (): string => whatsApp.tokens.answer(ANN, [])[0]?.attrs['auth'] ?? '';
  const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64url');
  const linkTo = (
    bytes: Uint8Array,
    { folder = 'mms', type = 'image', auth = token(), more = '', host = 0 } = {},
  ): string =>
    `http://${whatsApp.mediaHosts[host]}/${folder}/${type}/${hashOf(bytes)}?auth=${auth}&token=${hashOf(bytes)}${more}`;
  const upload = (
    bytes: Uint8Array,
    how: Parameters<typeof linkTo>[1] = {},
    body: Uint8Array = bytes,
  ): Promise<Response> => fetch(linkTo(bytes, how), { method: 'POST', body: new Uint8Array(body) });
  const stored = async (bytes: Uint8Array, how: Parameters<typeof linkTo>[1] = {}): Promise<string> => {
    const { direct_path: path } = (await (await upload(bytes, how)).json()) as { readonly direct_path: string };
    return path;
  };
  const get = (path: string, headers: Record<string, string> = {}, host = 0): Promise<Response> =>
    fetch(`http://${whatsApp.mediaHosts[host]}${path}`, { headers, signal: AbortSignal.timeout(5_000) });
  const last = async () => (await client.files.requests()).at(-1);

  it('take a file, and give it out whole and in parts, at both hosts', async () => {
    const bytes = await fresh();
    const path = await stored(bytes);

    const whole = await get(`${path}&hash=${hashOf(bytes)}&mms-type=image&__wa-mms=`, {}, 1);
    const part = await get(path, { range: 'bytes=100-199' });
    const end = await get(path, { range: 'bytes=-10' });
    const beyond = await get(path, { range: `bytes=${BYTES}-` });

    expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes);
    expect(whole.headers.get('content-type')).toBe('application/octet-stream');
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-199/${BYTES}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(100, 200));
    expect(Buffer.from(await end.arrayBuffer())).toEqual(bytes.subarray(-10));
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${BYTES}`]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const counted = async () => (await client.files.stats()).files.find((file) => file.sha256 === sha256);
    await expect.poll(counted).toEqual({
      sha256,
      uploads: 1,
      downloads: 3,
      uploadedBytes: BYTES,
      downloadedBytes: BYTES + 110,
    });
  });

  it('take files of channels apart, and name their handle', async () => {
    const answer = await upload(await fresh(), { folder: 'newsletter', type: 'newsletter-image' });

    expect(await answer.json()).toMatchObject({
      handle: expect.any(String),
      direct_path: expect.stringMatching(/^\/m1\/v\/t24\//),
    });
  });

  it.each<readonly [what: string, status: number, how: (bytes: Buffer) => Promise<Response>]>([
    ['no token', 401, (bytes) => upload(bytes, { auth: '' })],
    ['a token that was never given', 403, (bytes) => upload(bytes, { auth: 'x' })],
    ['another hash than that of the path', 400, (bytes) => upload(bytes, {}, bytes.subarray(1))],
    ['no file', 400, (bytes) => upload(bytes, {}, Buffer.alloc(0))],
    ['a name under which nothing is taken', 404, (bytes) => upload(bytes, { type: 'cat' })],
    ['a file of a channel among those of chats', 404, (bytes) => upload(bytes, { type: 'newsletter-image' })],
    ['a part that does not follow', 416, (bytes) => upload(bytes, { more: '&file_offset=7' })],
    [
      'a path that is no hash',
      400,
      () => fetch(`http://${whatsApp.mediaHosts[0]}/mms/image/abc?auth=${token()}`, { method: 'POST' }),
    ],
  ])('refuse an upload with %s', async (_what, status, how) => {
    const answer = await how(await fresh());

    expect(answer.status).toBe(status);
    expect(await last()).toMatchObject({ on: 'upload', status });
  });

  it.each<readonly [what: string, status: number, change: (path: string) => string]>([
    ['an unknown file', 404, (path) => path.replace(/\/\d/, '/0')],
    ['a signature of another link', 403, (path) => path.replace(/oh=01_./, 'oh=01_x')],
    ['an end that was put off', 403, (path) => path.replace(/oe=[\dA-F]+/, 'oe=7FFFFFFF')],
    ['a hash that is not its own', 400, (path) => `${path}&hash=${hashOf(Buffer.from('x'))}`],
  ])('refuse a link with %s', async (_what, status, change) => {
    const path = await stored(await fresh());

    expect((await get(change(path))).status).toBe(status);
  });

  it('end tokens, when their time is over and when they are revoked', async () => {
    await client.fault({ kind: 'media_conn', number: ANN, authTtl: 0, times: 1 });
    expect((await upload(await fresh())).status).toBe(403);

    const auth = token();
    expect((await upload(await fresh(), { auth })).status).toBe(200);
    expect(await client.files.revokeTokens(ANN)).toBeGreaterThan(0);
    expect((await upload(await fresh(), { auth })).status).toBe(403);
  });

  it.each([404, 410] as const)('answer %d for a file that was removed, and keep others', async (status) => {
    const [bytes, other] = [await fresh(), await fresh()];
    const [path, kept] = [await stored(bytes), await stored(other)];

    await client.files.expire(createHash('sha256').update(bytes).digest('hex'), status);

    expect([(await get(path)).status, (await get(kept)).status]).toEqual([status, 200]);
  });

  it('say how much of an upload came, and take the rest', async () => {
    const bytes = await fresh();
    await client.fault({ kind: 'media_body', on: 'upload', how: 'cut', afterBytes: 1, times: 1 });
    await expect(upload(bytes)).rejects.toThrow('fetch failed');

    const partOf = async (): Promise<number> => {
      const answer = await upload(bytes, { more: '&resume=1' }, Buffer.alloc(0));
      return ((await answer.json()) as { readonly resume: number }).resume;
    };
    const resume = await until('the part', partOf, (came) => came > 0);
    const rest = await upload(bytes, { more: `&file_offset=${resume}` }, bytes.subarray(resume));
    const { direct_path: path } = (await rest.json()) as { readonly direct_path: string };
    const known = await (await upload(bytes, { more: '&resume=1' }, Buffer.alloc(0))).json();

    expect(Buffer.from(await (await get(path)).arrayBuffer())).toEqual(bytes);
    expect(known).toMatchObject({ resume: 'COMPLETE', direct_path: path });
  });

  it('survive a restart with what they have, and without what was left half done', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'whatsapp-'));
    const bytes = await fresh();
    const first = await startWhatsApp({ stateDir });
    const kept = first.world.files.put('image', bytes, ANN);
    const gone = first.world.files.put('video', bytes, ANN);
    first.world.files.remove(gone, 410);
    await first.stop();
    writeFileSync(join(stateDir, 'media', 'new-1'), 'half');

    const second = await startWhatsApp({ stateDir });
    const ask = (path: string): Promise<Response> => fetch(`http://${second.mediaHosts[0]}${path}`);
    const [there, lost] = [await ask(first.world.files.pathOf(kept)), await ask(first.world.files.pathOf(gone))];

    expect(Buffer.from(await there.arrayBuffer())).toEqual(bytes);
    expect(lost.status).toBe(410);
    expect(readdirSync(join(stateDir, 'media'))).toEqual([kept.sha256]);
    await second.stop();
    rmSync(stateDir, { recursive: true });
  });

  it.each([429, 500, 507])('answer %d when told so, for one host, one way, so many times', async (status) => {
    const bytes = await fresh();
    await client.fault({ kind: 'media_refuse', on: 'upload', host: 0, status, retryAfterSeconds: 7, times: 1 });

    const refused = await upload(bytes);

    expect([refused.status, refused.headers.get('retry-after')]).toEqual([status, '7']);
    expect((await upload(bytes)).status).toBe(200);
  });

  it('lead elsewhere when told so', async () => {
    const path = await stored(await fresh());
    await client.fault({ kind: 'media_refuse', on: 'download', status: 302, location: 'other_host', times: 1 });
    await client.fault({
      kind: 'media_refuse',
      on: 'download',
      status: 302,
      location: 'http://169.254.169.254/',
      times: 1,
    });

    const ask = () => fetch(`http://${whatsApp.mediaHosts[0]}${path}`, { redirect: 'manual' });
    expect((await ask()).headers.get('location')).toBe(`https://${whatsApp.mediaHosts[1]}${path}`);
    expect((await ask()).headers.get('location')).toBe('http://169.254.169.254/');
  });

  describe('spoil a body when told so', () => {
    const spoiled = async (
      how: 'short' | 'long' | 'corrupt' | 'cut' | 'slow' | 'hang' | 'endless',
      more: object = {},
    ) => {
      const bytes = await fresh();
      const path = await stored(bytes);
      await client.fault({ kind: 'media_body', on: 'download', how, times: 1, ...more });
      return { bytes, path, sha256: createHash('sha256').update(bytes).digest('hex') };
    };

    it('short or long, and agreeing with what they say', async () => {
      const short = await spoiled('short', { afterBytes: 10 });
      const body = await (await get(short.path)).arrayBuffer();
      const long = await spoiled('long');
      const longBody = await (await get(long.path)).arrayBuffer();

      expect(Buffer.from(body)).toEqual(short.bytes.subarray(0, 10));
      expect(longBody.byteLength).toBeGreaterThan(BYTES);
    });

    it('with one wrong bit', async () => {
      const { bytes, path } = await spoiled('corrupt', { afterBytes: 70_000 });

      const body = Buffer.from(await (await get(path)).arrayBuffer());

      expect(body.length).toBe(BYTES);
      expect([...body.keys()].filter((place) => body[place] !== bytes[place])).toEqual([70_000]);
      expect(Buffer.from(await (await get(path)).arrayBuffer())).toEqual(bytes);
    });

    it('broken off', async () => {
      const { path, sha256 } = await spoiled('cut');

      await expect((await get(path)).arrayBuffer()).rejects.toThrow('terminated');
      await expect.poll(last).toMatchObject({ sha256, status: 0, bytes: BYTES / 2 });
    });

    it.each<readonly [how: 'hang' | 'endless' | 'slow', least: number, most: number]>([
      ['hang', 10, 10],
      ['endless', BYTES, Infinity],
      ['slow', 1, BYTES - 1],
    ])('%s, until the client goes away', async (how, least, most) => {
      const { path, sha256 } = await spoiled(how, { afterBytes: 10 });
      const leaves = new AbortController();

      const answer = await fetch(`http://${whatsApp.mediaHosts[0]}${path}`, { signal: leaves.signal });
      let read = 0;
      const reading = (async () => {
        for await (const chunk of answer.body ?? []) if ((read += chunk.length) > BYTES) leaves.abort();
      })();
      if (how !== 'endless') setTimeout(() => leaves.abort(), 50);
      await expect(reading).rejects.toThrow('abort');

      expect(read).toBeGreaterThanOrEqual(least);
      expect(read).toBeLessThanOrEqual(most);
      await expect.poll(last).toMatchObject({ sha256, status: 0 });
    });

    it('of an upload: a good answer that names no place', async () => {
      await client.fault({ kind: 'media_body', on: 'upload', how: 'no_link', times: 1 });

      expect(await (await upload(await fresh())).json()).toEqual({});
    });
  });
});
