import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UPLOAD_PART_BYTES } from '../../../shared/media/settleUpload.ts';
import { startObjects, type ObjectEmulator } from '../../emulators/objects.ts';
import { ApiStack } from '../api/apiStack.ts';

interface Upload {
  readonly url: string;
  readonly part_bytes: number;
  readonly parts: readonly { readonly number: number; readonly bytes: number; readonly url: string }[];
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const put = async (url: string, body: Uint8Array): Promise<number> =>
  (await fetch(url, { method: 'PUT', body: Buffer.from(body) })).status;

describe('files that tenants bring', () => {
  let stack: ApiStack;
  let objects: ObjectEmulator;
  beforeAll(async () => {
    objects = await startObjects();
    stack = await ApiStack.start(() => Promise.resolve(objects.config));
  });
  afterAll(async () => {
    await stack.stop();
    await objects.stop();
  });

  const aTenant = async () => {
    const { key } = await stack.tenant();
    const call = (method: string, path: string, body?: unknown) =>
      stack.call(method, `/v1/media${path}`, { key, ...(body === undefined ? {} : { body }) });
    const bring = async (bytes: number, more: object = {}) => {
      const { body } = await call('POST', '', { bytes, ...more });
      return { id: String(body['id']), upload: body['upload'] as Upload };
    };
    return { call, bring };
  };
  const download = async ({ call }: Awaited<ReturnType<typeof aTenant>>, id: string) => {
    const { headers, status } = await call('GET', `/${id}`);
    const answer = status === 302 ? await fetch(String(headers['location'])) : undefined;
    return { status, answer, bytes: answer && Buffer.from(await answer.arrayBuffer()) };
  };

  it('are uploaded at once, and read as they went', async () => {
    const tenant = await aTenant();
    const bytes = randomBytes(100_000);

    const made = await tenant.call('POST', '', { bytes: 100_000, mime_type: 'image/png', filename: 'a ü.png' });
    const id = String(made.body['id']);
    const early = await tenant.call('GET', `/${id}`);
    const stored = await put((made.body['upload'] as Upload).url, bytes);
    const complete = await tenant.call('POST', `/${id}/complete`);
    const info = await tenant.call('GET', `/${id}/info`);
    const read = await download(tenant, id);

    expect(made).toMatchObject({
      status: 201,
      headers: { location: `/v1/media/${id}/info` },
      body: { state: 'awaited', mime_type: 'image/png', bytes: 100_000 },
    });
    expect(early).toMatchObject({ status: 409, body: { code: 'media_awaited' } });
    expect([stored, complete.status]).toEqual([200, 200]);
    expect(info.body).toEqual({
      id,
      state: 'ready',
      mime_type: 'image/png',
      bytes: 100_000,
      filename: 'a ü.png',
      kept_until: expect.any(String),
    });
    expect(complete.body).toEqual(info.body);
    expect(read.bytes?.equals(bytes)).toBe(true);
    expect(read.answer?.headers.get('content-type')).toBe('image/png');
  });

  it('stay as they are once they are here, whoever still has the address that they went to', async () => {
    const tenant = await aTenant();
    const [bytes, others] = [randomBytes(1_000), randomBytes(1_000)];
    const { id, upload } = await tenant.bring(1_000);

    await put(upload.url, others);
    await put(upload.url, bytes);
    await tenant.call('POST', `/${id}/complete`);
    const late = await put(upload.url, others);
    await tenant.call('POST', `/${id}/complete`);

    // The address still takes something, which nobody ever reads.
    expect(late).toBe(200);
    expect((await download(tenant, id)).bytes?.equals(bytes)).toBe(true);
  });

  it('are one of two uploads, whole, where both come while many look', async () => {
    const tenant = await aTenant();
    const uploads = [randomBytes(50_000), randomBytes(50_000)];
    const { id, upload } = await tenant.bring(50_000);

    const looks = Array.from({ length: 8 }, () => tenant.call('POST', `/${id}/complete`));
    await Promise.all([...uploads.map((bytes) => put(upload.url, bytes)), ...looks]);
    const settled = await tenant.call('POST', `/${id}/complete`);
    const first = (await download(tenant, id)).bytes;
    for (const bytes of uploads) await put(upload.url, bytes);
    await Promise.all(looks.map(() => tenant.call('POST', `/${id}/complete`)));
    const second = (await download(tenant, id)).bytes;

    expect(settled.body).toMatchObject({ state: 'ready', bytes: 50_000 });
    expect(uploads.some((bytes) => first?.equals(bytes))).toBe(true);
    expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  });

  it('are copied by nobody who only has an address', async () => {
    const tenant = await aTenant();
    const [theirs, mine] = [await tenant.bring(10), await tenant.bring(10)];
    await put(theirs.upload.url, randomBytes(10));
    const source = new URL(theirs.upload.url).pathname;

    const copied = await fetch(mine.upload.url, {
      method: 'PUT',
      body: randomBytes(10),
      headers: { 'x-amz-copy-source': source },
    });

    expect(copied.status).toBe(403);
  });

  it('are deleted, and gone from then on for whoever names them', async () => {
    const tenant = await aTenant();
    const { id, upload } = await tenant.bring(100);
    await put(upload.url, randomBytes(100));
    await tenant.call('POST', `/${id}/complete`);

    const others = (await (await aTenant()).call('DELETE', `/${id}`)).status;
    const deleted = await tenant.call('DELETE', `/${id}`);
    const again = await tenant.call('DELETE', `/${id}`);

    expect(others).toBe(404);
    expect([deleted, again]).toMatchObject([1, 2].map(() => ({ status: 202, body: { id, state: 'gone' } })));
    expect(await tenant.call('GET', `/${id}`)).toMatchObject({ status: 410, body: { code: 'media_gone' } });
    expect((await tenant.call('GET', `/${id}/info`)).body).toMatchObject({ state: 'gone' });
    expect((await tenant.call('POST', `/${id}/complete`)).body).toMatchObject({ state: 'gone' });
  });

  it('are counted, and kept for as many days as their tenant says', async () => {
    const { key } = await stack.tenant();
    const call = (method: string, path: string, body?: unknown) =>
      stack.call(method, path, { key, ...(body === undefined ? {} : { body }) });
    const before = await call('GET', '/v1/tenant');
    const changed = await call('PATCH', '/v1/tenant', { fileDays: 7 });
    const made = await call('POST', '/v1/media', { bytes: 1_000 });
    await put((made.body['upload'] as Upload).url, randomBytes(1_000));
    const whole = await call('POST', `/v1/media/${String(made.body['id'])}/complete`);

    expect(before.body).toMatchObject({ fileDays: 90, files: { count: 0, bytes: 0 } });
    expect(changed.body).toMatchObject({ fileDays: 7 });
    expect(Date.parse(String(whole.body['kept_until'])) - Date.now()).toBeLessThanOrEqual(7 * 86_400_000);
    expect((await call('GET', '/v1/tenant')).body).toMatchObject({ fileDays: 7, files: { count: 1, bytes: 1_000 } });
    expect(await call('PATCH', '/v1/tenant', { fileDays: 8 })).toMatchObject({ status: 400 });
    expect(await call('PATCH', '/v1/tenant', {})).toMatchObject({ status: 400 });
  });

  it('are uploaded in parts above 16 MiB, in any order, each again if it must be', async () => {
    const tenant = await aTenant();
    const bytes = randomBytes(2 * UPLOAD_PART_BYTES + 5);
    const { id, upload } = await tenant.bring(bytes.length);
    const part = (number: number) => bytes.subarray((number - 1) * UPLOAD_PART_BYTES, number * UPLOAD_PART_BYTES);
    const [first, second, third] = upload.parts;

    expect(upload.parts.map((one) => one.bytes)).toEqual([UPLOAD_PART_BYTES, UPLOAD_PART_BYTES, 5]);
    expect(await put(third?.url ?? '', part(3))).toBe(200);
    expect(await put(first?.url ?? '', part(1))).toBe(200);
    expect(await put(first?.url ?? '', part(1))).toBe(200);
    const early = await tenant.call('POST', `/${id}/complete`);
    // New addresses serve the same upload.
    const again = (await tenant.call('GET', `/${id}/info`)).body['upload'] as Upload;
    expect(await put(again.parts[1]?.url ?? '', part(2))).toBe(200);
    const complete = await tenant.call('POST', `/${id}/complete`);
    const twice = await tenant.call('POST', `/${id}/complete`);

    expect(early.body).toMatchObject({ state: 'awaited', upload: { part_bytes: UPLOAD_PART_BYTES } });
    expect(complete.body).toMatchObject({ id, state: 'ready', bytes: bytes.length });
    expect(twice.body).toEqual(complete.body);
    expect(sha256Of((await download(tenant, id)).bytes ?? Buffer.alloc(0))).toBe(sha256Of(bytes));
    // The upload is over: its addresses store nothing any more.
    expect(await put(second?.url ?? '', part(2))).toBe(404);
  });

  it('take exactly the bytes that were said, and nobody else can say more', async () => {
    const { bring, call } = await aTenant();
    const { id, upload } = await bring(10);

    expect(await put(upload.url, randomBytes(11))).toBe(403);
    expect(await put(upload.url, randomBytes(9))).toBe(403);
    expect((await fetch(upload.url)).status).toBe(403);
    expect((await call('POST', `/${id}/complete`)).body).toMatchObject({ state: 'awaited' });
  });

  it('may be uploaded by a page in a browser, which may do nothing else there', async () => {
    const { upload } = await (await aTenant()).bring(10);
    const ask = (method: string, headers = 'content-type') =>
      fetch(upload.url, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://shop.example',
          'access-control-request-method': method,
          'access-control-request-headers': headers,
        },
      });

    const asked = await ask('PUT');
    const origin = { origin: 'https://shop.example' };
    const stored = await fetch(upload.url, { method: 'PUT', body: randomBytes(10), headers: origin });

    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect([stored.status, stored.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect((await ask('DELETE')).status).toBe(403);
    expect((await ask('PUT', 'authorization')).status).toBe(403);
  });

  it('are gone on with after a death between the object and the row', async () => {
    const tenant = await aTenant();
    const bytes = randomBytes(UPLOAD_PART_BYTES + 1);
    const { id, upload } = await tenant.bring(bytes.length);
    for (const { url, number } of upload.parts) {
      await put(url, bytes.subarray((number - 1) * UPLOAD_PART_BYTES, number * UPLOAD_PART_BYTES));
    }
    const file = await stack.dependencies.brought.find(id as never);
    const { uploads } = stack.dependencies;
    // What completed it died before it wrote that down.
    const parts = await uploads.listParts(file?.objectKey ?? '', file?.uploadId ?? '');
    await uploads.complete(file?.objectKey ?? '', file?.uploadId ?? '', parts ?? []);

    expect((await tenant.call('POST', `/${id}/complete`)).body).toMatchObject({ state: 'ready', bytes: bytes.length });
  });

  it.each([
    ['no size', {}, 'bytes'],
    ['an empty file', { bytes: 0 }, 'bytes'],
    ['more than WhatsApp sends', { bytes: 2 ** 31 + 1 }, 'bytes'],
    ['a type that is none', { bytes: 1, mime_type: 'picture' }, 'mime_type'],
    ['a type with a line break', { bytes: 1, mime_type: 'image/png\r\nx: y' }, 'mime_type'],
    ['a name without letters', { bytes: 1, filename: '' }, 'filename'],
    ['a field that is unknown', { bytes: 1, file: 'x' }, 'file'],
  ])('are refused with %s', async (_name, body, field) => {
    const { call } = await aTenant();
    const { status, body: problem } = await call('POST', '', body);
    expect(status).toBe(400);
    expect(JSON.stringify(problem)).toContain(`"${field}"`);
  });

  it('are seen by their tenant alone, and are not fetched from WhatsApp', async () => {
    const [owner, stranger] = [await aTenant(), await aTenant()];
    const { id } = await owner.bring(10);

    for (const [method, path] of [
      ['GET', `/${id}`],
      ['GET', `/${id}/info`],
      ['POST', `/${id}/complete`],
      ['POST', `/${id}/fetch`],
    ] as const) {
      expect(await stranger.call(method, path)).toMatchObject({ status: 404, body: { code: 'media_not_found' } });
    }
    const own = await owner.call('POST', `/${id}/fetch`);
    expect(own).toMatchObject({ status: 404, body: { code: 'media_not_found' } });
    expect(own.body['detail']).toContain('came with a message');
  });
});
