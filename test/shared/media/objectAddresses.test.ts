import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OfferedObject } from '../../../shared/media/objectStore.ts';
import { S3ObjectAddresses } from '../../../shared/media/s3ObjectAddresses.ts';
import { S3RequestSigner } from '../../../shared/media/s3RequestSigner.ts';
import { S3ObjectStore } from '../../../shared/media/s3ObjectStore.ts';
import { makeObjectClient } from '../../../shared/platform/objectClient.ts';
import { startObjects, type ObjectEmulator } from '../../emulators/objects.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

const KEY = 'ten_1/a-file.bin';
const how: OfferedObject = { contentType: 'image/png', shownInline: true, endsAfterSeconds: 60, filename: 'a b+ü.png' };
const bytes = randomBytes(100_000);
const START_MS = Date.UTC(2026, 0, 31, 23, 59, 30);

let nowMs = START_MS;
const clock = { nowMs: () => nowMs, sleep: () => new Promise<void>(() => undefined) };
let emulator: ObjectEmulator;
let addresses: S3ObjectAddresses;
beforeAll(async () => {
  emulator = await startObjects(() => nowMs);
  const config = { ...aStoreConfig({}), ...emulator.config };
  const store = new S3ObjectStore(makeObjectClient(config), emulator.config.mediaBucket);
  await store.write(KEY, Readable.from([bytes]), { contentType: 'text/html' }, new AbortController().signal);
  addresses = new S3ObjectAddresses(
    new S3RequestSigner(config, () => Promise.resolve({ accessKeyId: 'api', secretAccessKey: 'local' }), clock),
  );
});
afterAll(() => emulator.stop());

const codeOf = async (answer: Response): Promise<string> =>
  `${answer.status} ${/<Code>(\w+)/.exec(await answer.text())?.[1]}`;

describe('the address of an object', () => {
  it('gives its bytes without a key, with the type and the name that are a part of the signature', async () => {
    const answer = await fetch(await addresses.addressOf(KEY, how));

    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(answer.headers.get('content-disposition')).toBe(
      `inline; filename="a b+_.png"; filename*=UTF-8''a%20b%2B%C3%BC.png`,
    );
  });

  it('gives parts of them, as a player asks for them', async () => {
    const address = await addresses.addressOf(KEY, how);

    const middle = await fetch(address, { headers: { range: 'bytes=10-19' } });
    const end = await fetch(address, { headers: { range: 'bytes=-5' } });
    const several = await fetch(address, { headers: { range: 'bytes=0-1,5-6' } });
    const ofAnother = await fetch(address, { headers: { range: 'bytes=0-1', 'if-range': '"another"' } });
    const beyond = await fetch(address, { headers: { range: 'bytes=100000-' } });

    expect([middle.status, middle.headers.get('content-range')]).toEqual([206, 'bytes 10-19/100000']);
    expect(Buffer.from(await middle.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    expect(Buffer.from(await end.arrayBuffer())).toEqual(bytes.subarray(-5));
    expect([several.status, ofAnother.status]).toEqual([200, 200]);
    expect(await codeOf(beyond)).toBe('416 InvalidRange');
    await Promise.all([several.arrayBuffer(), ofAnother.arrayBuffer()]);
  });

  it('ends when its time is over, also over midnight', async () => {
    const address = await addresses.addressOf(KEY, how);

    nowMs = START_MS + 59_999;
    const inTime = await fetch(address, { headers: { range: 'bytes=0-0' } });
    await inTime.arrayBuffer();
    nowMs = START_MS + 60_000;
    const late = await fetch(address);
    nowMs = START_MS;

    expect(inTime.status).toBe(206);
    expect(await codeOf(late)).toBe('403 AccessDenied');
  });

  it('is refused when anything of it was changed, or when it is used for something else', async () => {
    const address = await addresses.addressOf(KEY, how);
    const changed = (change: (url: URL) => void): string => {
      const url = new URL(address);
      change(url);
      return url.href;
    };
    const set = (name: string, value: string) => changed((url) => url.searchParams.set(name, value));

    for (const forged of [
      set('response-content-type', 'text/html'),
      set('response-content-disposition', 'inline'),
      set('X-Amz-Expires', '604800'),
      set('X-Amz-Date', '20260131T235931Z'),
      set('X-Amz-Signature', 'ab'.repeat(32)),
      set('x', '1'),
      changed((url) => url.searchParams.delete('response-content-disposition')),
      changed((url) => (url.pathname = url.pathname.replace('ten_1', 'ten_2'))),
    ]) {
      expect(await codeOf(await fetch(forged))).toBe('403 SignatureDoesNotMatch');
    }
    expect(await codeOf(await fetch(address, { method: 'PUT', body: 'x' }))).toBe('403 SignatureDoesNotMatch');
    expect(await codeOf(await fetch(address, { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch');
    expect(await codeOf(await fetch(set('X-Amz-Expires', '9999999')))).toBe('400 AuthorizationQueryParametersError');
    expect(await codeOf(await fetch(address.split('?')[0] ?? ''))).toBe('403 AccessDenied');
    expect(await codeOf(await fetch(`${emulator.endpoint}/`))).toBe('403 AccessDenied');
  });

  it('leads to nothing where nothing is, and is not made for what is no key', async () => {
    expect(await codeOf(await fetch(await addresses.addressOf('ten_1/none', how)))).toBe('404 NoSuchKey');
    await expect(addresses.addressOf('../other', how)).rejects.toThrow(RangeError);
  });

  it('is one of AWS where no other endpoint is named, with the token of a role', async () => {
    const config = { region: 'eu-central-1', mediaBucket: 'prod-media', s3Endpoint: undefined, storeTimeoutMs: 5_000 };
    const role = { accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'to/ken+=' };
    const ofRegion = (region: string) =>
      new S3ObjectAddresses(new S3RequestSigner({ ...config, region }, () => Promise.resolve(role), clock));

    const url = new URL(await ofRegion('eu-central-1').addressOf(KEY, { ...how, endsAfterSeconds: 10 ** 9 }));
    const chinese = new URL(await ofRegion('cn-north-1').addressOf(KEY, how));

    expect(url.origin + url.pathname).toBe(`https://prod-media.s3.eu-central-1.amazonaws.com/${KEY}`);
    expect(url.searchParams.get('X-Amz-Security-Token')).toBe('to/ken+=');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('604800');
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    expect(chinese.host).toBe('prod-media.s3.cn-north-1.amazonaws.com.cn');
  });
});

describe('the emulator', () => {
  const ask = (method: string, path: string, headers: Record<string, string>, body = ''): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(emulator.endpoint);
      const sent = request({ hostname, port, method, path, headers }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.on('error', reject).end(body);
    });
  const authorization = 'AWS4-HMAC-SHA256 Credential=media/20260131/us-east-1/s3/aws4_request';
  const signed = { authorization };

  it.each([
    ['a bucket that is not there', 'GET', '/other/key', 404],
    ['the bucket itself', 'GET', '/test-media', 501],
    ['a list', 'GET', '/test-media?list-type=2', 501],
    ['an upload that is not there', 'PUT', '/test-media/a?partNumber=1&uploadId=..%2F..%2Fx', 404],
    ['the end of such an upload', 'POST', '/test-media/a?uploadId=x', 404],
    ['another method', 'PATCH', '/test-media/a', 405],
    ['a path that is no text', 'GET', '/test-media/%zz', 404],
    ['an absolute form', 'GET', 'http://other.test/test-media/none', 404],
  ])('refuses %s', async (_name, method, path, status) => {
    expect(await ask(method, path, method === 'PUT' ? { ...signed, 'content-length': '0' } : signed)).toBe(status);
  });

  it('refuses a body whose checksum is another, or which is a row of signed chunks, and a page that asks first', async () => {
    const path = '/test-media/b';

    expect(await ask('PUT', path, { ...signed, 'content-length': '1', 'x-amz-checksum-crc32': 'AAAAAA==' }, 'x')).toBe(
      400,
    );
    expect(await ask('PUT', path, { ...signed, 'content-length': '1', 'content-encoding': 'aws-chunked' }, 'x')).toBe(
      501,
    );
    expect(await ask('PUT', path, { ...signed, 'transfer-encoding': 'chunked' }, 'x')).toBe(411);
    expect(await ask('OPTIONS', path, { origin: 'https://evil.test' })).toBe(403);
    expect(await ask('GET', path, signed)).toBe(404);
  });
});
