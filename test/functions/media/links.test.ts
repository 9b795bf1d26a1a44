import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchLink } from '../../../functions/media/fetchLink.ts';
import { namesOfLink } from '../../../functions/media/linkNames.ts';
import { LinkSource } from '../../../functions/media/linkSource.ts';
import { AddressGuard, type ResolvedAddress } from '../../../shared/platform/addressGuard.ts';
import { MemoryObjects } from '../../shared/media/memoryObjects.ts';

const MOST_BYTES = 100_000;
const PICTURE = Buffer.from('a picture of a cat 🐈 '.repeat(1_000));

type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;
const giving =
  (bytes: Buffer, headers: Record<string, string> = {}, status = 200): Behaviour =>
  (response) =>
    response.writeHead(status, { 'content-length': bytes.length, ...headers }).end(bytes);
const leadingTo =
  (location: string, status = 302): Behaviour =>
  (response) =>
    response.writeHead(status, { location }).end();

/** What hosts do, by the path. A test that needs another one adds a row. */
const hosts: Readonly<Record<string, Behaviour>> = {
  '/cat.png': giving(PICTURE, { 'content-type': 'IMAGE/PNG; charset=x' }),
  '/named': giving(PICTURE, {
    'content-disposition': `attachment; filename="x.bin"; filename*=UTF-8''K%C3%A4tzchen.png`,
  }),
  '/moved': leadingTo('/cat.png', 301),
  '/twice': leadingTo('/moved', 308),
  '/round': leadingTo('/round'),
  '/nowhere': leadingTo(''),
  '/bad-location': leadingTo('http://['),
  '/to-metadata': leadingTo('http://169.254.169.254/latest/meta-data/'),
  '/to-inside': leadingTo('https://10.0.0.1/'),
  '/to-name': leadingTo('https://inside.test/'),
  '/to-file': leadingTo('file:///etc/passwd'),
  '/to-gopher': leadingTo('gopher://127.0.0.1:11211/_stats'),
  '/missing': giving(Buffer.from('no'), {}, 404),
  '/login': giving(Buffer.from('log in'), { 'www-authenticate': 'Basic' }, 401),
  '/part': giving(PICTURE.subarray(0, 10), { 'content-range': `bytes 0-9/${PICTURE.length}` }, 206),
  '/empty': giving(Buffer.alloc(0)),
  '/packed': giving(gzipSync(Buffer.alloc(1_000_000)), { 'content-encoding': 'gzip' }),
  '/large': giving(Buffer.alloc(MOST_BYTES + 1)),
  '/busy': giving(Buffer.from('later'), {}, 503),
  '/too-often': giving(Buffer.from('later'), { 'retry-after': '1' }, 429),
  '/short': (response) => {
    response.writeHead(200, { 'content-length': 1_000 }).write(Buffer.alloc(10));
    setTimeout(() => response.destroy(), 20);
  },
  '/endless': (response) => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(16_384), () => setImmediate(more));
    };
    more();
  },
  '/silent': () => undefined,
  '/slow': (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  },
  '/reset': (response) => response.destroy(),
};

describe('links of tenants', () => {
  let server: Server;
  let origin: string;
  const asked: IncomingMessage[] = [];
  const objects = new MemoryObjects();
  const resolved: string[] = [];
  const names: Readonly<Record<string, readonly ResolvedAddress[]>> = {
    'inside.test': [{ address: '10.1.2.3', family: 4 }],
    'mixed.test': [
      { address: '93.184.216.34', family: 4 },
      { address: '192.168.0.1', family: 4 },
    ],
    'six.test': [{ address: 'fd00:ec2::254', family: 6 }],
    'mapped.test': [{ address: '::ffff:169.254.169.254', family: 6 }],
    'loopback.test': [{ address: '127.0.0.1', family: 4 }],
    'zero.test': [{ address: '0.0.0.0', family: 4 }],
  };
  const sourceOf = (allowLoopback: boolean): LinkSource => {
    const resolve = (hostname: string): Promise<readonly ResolvedAddress[]> => {
      resolved.push(hostname);
      const found = names[hostname];
      return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(found);
    };
    return new LinkSource({ guard: new AddressGuard({ allowLoopback, resolve }), mostBytes: MOST_BYTES });
  };
  // The hosts of this test listen on this machine; everything else meets the guard as it is on AWS.
  const [links, strictLinks] = [sourceOf(true), sourceOf(false)];
  /** Deadlines pass a thousand times faster. */
  const clock = { sleep: (ms: number) => sleep(Math.max(50, ms / 100)).then(() => undefined) };
  const fetchBy = (source: LinkSource, link: string) =>
    fetchLink({ links: source, objects, clock }, { link, objectKey: 'tnt_1/brought/med_1' });
  const fetchOf = (link: string) => fetchBy(strictLinks, link);
  const at = (path: string) => fetchBy(links, `${origin}${path}`);

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request);
      hosts[request.url ?? '']?.(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await Promise.all([links.close(), strictLinks.close()]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('are stored as they come, with the type and the name that the host says', async () => {
    expect(await at('/cat.png')).toMatchObject({
      fetched: { state: 'ready', bytes: PICTURE.length, mimeType: 'image/png', filename: 'cat.png' },
    });
    expect(objects.kept.get('tnt_1/brought/med_1')?.bytes).toEqual(PICTURE);
    expect(await at('/named')).toMatchObject({ fetched: { state: 'ready', filename: 'Kätzchen.png' } });
    expect(await at('/twice')).toMatchObject({ fetched: { state: 'ready', filename: 'cat.png' } });
  });

  it('are asked for without a cookie or a key', async () => {
    await at('/cat.png');
    const { headers } = asked.at(-1) ?? {};
    expect(Object.keys(headers ?? {}).toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  it.each([
    '/to-metadata',
    '/to-inside',
    '/to-name',
    '/to-file',
    '/to-gopher',
    'http://example.com/plain',
    'https://user:password@example.com/',
    'https://169.254.169.254/latest/meta-data/iam/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[2002:7f00:1::]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://inside.test/',
    'https://mixed.test/',
    'https://six.test/',
    'https://mapped.test/',
    'https://loopback.test/',
    'https://zero.test/',
    'ftp://example.com/file',
    'data:text/plain,hello',
    'file:///etc/passwd',
    'https://',
    'cat.png',
  ])('lead to no address that is not public: %s', async (link) => {
    const found = await (link.startsWith('/') ? at(link) : fetchOf(link));
    expect(found).toEqual({ fetched: { state: 'failed', fault: 'link_not_allowed' } });
  });

  it('go to the addresses that were judged, however a name changes its answer', async () => {
    resolved.length = 0;
    // The name is looked up once, by the connection itself: there is no second answer that could be another one.
    await fetchOf('https://inside.test/');
    expect(resolved).toEqual(['inside.test']);
  });

  it.each([
    ['/missing', 'link_refused'],
    ['/login', 'link_refused'],
    ['/part', 'link_refused'],
    ['/empty', 'link_refused'],
    ['/packed', 'link_refused'],
    ['/round', 'link_refused'],
    ['/nowhere', 'link_refused'],
    ['/bad-location', 'link_refused'],
    ['/large', 'link_too_large'],
    ['/endless', 'link_too_large'],
  ])('end for good where %s', async (path, fault) => {
    objects.kept.clear();
    expect(await at(path)).toEqual({ fetched: { state: 'failed', fault } });
    expect(objects.kept.size).toBe(0);
  });

  it.each(['/busy', '/too-often', '/short', '/reset', '/silent', '/slow'])(
    'may come at another time: %s',
    async (path) => {
      objects.kept.clear();
      expect(await at(path)).toHaveProperty('again');
      expect(objects.kept.size).toBe(0);
    },
  );

  it('may come at another time where a name does not resolve, or nobody listens', async () => {
    expect(await fetchOf('https://unknown.test/')).toHaveProperty('again');
    expect(await fetchBy(links, 'http://127.0.0.1:9/')).toHaveProperty('again');
  });
});

describe('the name behind a link', () => {
  it.each([
    ['/a/b.pdf', {}, 'b.pdf'],
    ['/a/R%C3%A9sum%C3%A9.pdf?x=1', {}, 'Résumé.pdf'],
    ['/a/%zz', {}, undefined],
    ['/', {}, undefined],
    ['/x', { 'content-disposition': 'inline; filename=plain.txt' }, 'plain.txt'],
    ['/x', { 'content-disposition': String.raw`inline; filename="a \"b\".txt"` }, 'a "b".txt'],
    ['/x', { 'content-disposition': 'attachment' }, 'x'],
    ['/x', { 'content-disposition': `attachment; filename="${'n'.repeat(500)}"` }, 'n'.repeat(240)],
    ['/a%0d%0ab', {}, 'ab'],
  ] as const)('of %s with %j', (path, headers, filename) => {
    expect(namesOfLink(`https://example.com${path}`, headers).filename).toBe(filename);
  });
});
