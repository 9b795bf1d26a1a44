import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack } from '../../../infra/local/stack.ts';
import type { RunningStack } from '../../../infra/local/stackOptions.ts';

/** What arrives: bytes on a connection of their own, after which the sender may go away without waiting for an answer. */
interface Delivery {
  readonly bytes: string | Buffer;
  readonly leavesAtOnce?: boolean;
}

const OLD = 'HTTP/1.1\r\nHost: 127.0.0.1\r\n';
const CLOSE = 'Connection: close\r\n\r\n';
const targets = [
  '//',
  '///',
  '//ops',
  '/\\',
  '/ops//',
  '/ops/..%2f..%2f',
  '/ops/%',
  '/ops/__proto__',
  '/%E0%A4%A',
  '/%',
  '/?%',
  '/v1/connections?%E0%A4%A&__proto__=1&constructor=2&constructor=3',
  '/?minutes=%00',
  '/ops/metrics.json?minutes[]=1',
  '*',
  'http://',
  'http://:/',
  'http://[/',
  'http://127.0.0.1',
  'http://evil.example/ops',
  'gopher://x/y',
  'javascript:alert(1)',
  '127.0.0.1:443',
  `/${'a'.repeat(10_000)}`,
  `/${'/'.repeat(5_000)}`,
  '/\u00ff\u00fe',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'M-SEARCH'];
const listed: readonly Delivery[] = [
  ...targets.flatMap((target) => methods.map((method) => ({ bytes: `${method} ${target} ${OLD}${CLOSE}` }))),
  { bytes: `GET / HTTP/1.1\r\nHost:\r\n${CLOSE}` },
  { bytes: `GET / HTTP/1.1\r\nHost: \u0000\r\n${CLOSE}` },
  { bytes: `GET / HTTP/1.0\r\n\r\n` },
  { bytes: `GET / ${OLD}X: ${'y'.repeat(200_000)}\r\n${CLOSE}` },
  { bytes: `GET / ${OLD}${Array.from({ length: 5_000 }, (_, index) => `X-${index}: 1\r\n`).join('')}${CLOSE}` },
  { bytes: `GET / ${OLD}Authorization: Bearer \u00ff\u0080\r\n${CLOSE}` },
  { bytes: `POST / ${OLD}Content-Length: 1000\r\n\r\nabc`, leavesAtOnce: true },
  { bytes: `POST /v1/admin/tenants ${OLD}Content-Length: 1000\r\n\r\nabc`, leavesAtOnce: true },
  { bytes: `POST /phones ${OLD}Transfer-Encoding: chunked\r\n\r\nzz\r\n` },
  { bytes: `POST / ${OLD}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc` },
  { bytes: `POST / ${OLD}Content-Length: -1\r\n\r\n` },
  { bytes: `POST / ${OLD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`, leavesAtOnce: true },
  { bytes: `POST / ${OLD}Expect: 200-maybe\r\n${CLOSE}` },
  { bytes: `POST / ${OLD}Content-Encoding: gzip\r\nContent-Length: 3\r\n${CLOSE}abc` },
  { bytes: `GET / ${OLD}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n` },
  { bytes: `GET /ws/chat ${OLD}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n`, leavesAtOnce: true },
  {
    bytes: `GET /ws/chat ${OLD}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u00ff\u00ff\u00ff\u00ff`,
  },
  { bytes: `GET / ${OLD}\r\nGET // ${OLD}\r\n\u0000\u0001GARBAGE\r\n\r\nGET /ops ${OLD}${CLOSE}` },
  { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { bytes: Buffer.from('16030100a5010000a10303', 'hex') },
  { bytes: Buffer.alloc(100_000, 0) },
  { bytes: '\r\n\r\n\r\n' },
  { bytes: '' },
];
const line = fc.string({ unit: 'binary', maxLength: 40 });
const fuzzed: fc.Arbitrary<Delivery> = fc.record({
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(
        fc.constantFrom(...methods),
        fc.oneof(line, fc.webUrl(), fc.webPath(), fc.constantFrom('/ops', '/phones', '/v1/connections')),
        fc.array(
          fc.tuple(
            fc.constantFrom('Host', 'Origin', 'Content-Length', 'Content-Type', 'Upgrade', 'Authorization', 'Cookie'),
            line,
          ),
          { maxLength: 5 },
        ),
        line,
      )
      .map(
        ([method, target, headers, body]) =>
          `${method} /${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
      ),
  ),
  leavesAtOnce: fc.boolean(),
});

describe('no request ends a process of the embedded stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  const broken: string[] = [];
  let stack: RunningStack;
  let sockets = '';
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 0,
      watchdogSettings: false,
      between: async (reached) => {
        sockets = reached.whatsAppUrl ?? '';
        return reached;
      },
      say: () => undefined,
      onBroken: (reason) => void broken.push(reason),
    });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const places = (): Readonly<Record<string, string>> => ({
    API: stack.apiUrl,
    'phones of the simulator': stack.whatsAppControlUrl ?? '',
    'sockets of the simulator': sockets.replace('ws:', 'http:').replace('/ws/chat', ''),
    SQS: stack.sqsEndpoint,
    DynamoDB: stack.dynamoDbEndpoint,
  });

  it.each(['API', 'phones of the simulator', 'sockets of the simulator', 'SQS', 'DynamoDB'])('%s', async (place) => {
    const url = places()[place] ?? '';
    const deliveries = [...listed, ...fc.sample(fuzzed, { numRuns: 400, seed: 4711 })];

    await inParallel(deliveries, 16, (delivery) => deliver(url, delivery));

    expect(broken).toEqual([]);
    expect((await fetch(`${url}/v1/nothing`)).status).toBeLessThan(500);
  });
});

/** Ends when the other side has closed, when it has been silent for a moment, or at once. */
function deliver(url: string, { bytes, leavesAtOnce = false }: Delivery): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(bytes, () => {
        if (leavesAtOnce) socket.resetAndDestroy();
      });
    });
    socket.setTimeout(500, () => socket.resetAndDestroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

async function inParallel<Item>(items: readonly Item[], lanes: number, act: (item: Item) => Promise<void>) {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of queue) await act(item);
    }),
  );
}
