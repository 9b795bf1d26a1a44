import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { findOutsideCalls } from './outsideCalls.ts';

/** Nothing waits for the outside world without a deadline. A new file is covered by being there. */
const root = resolve(import.meta.dirname, '../..');

/**
 * What is bounded in another way than by `withDeadline`: how often it stands in its file, and what bounds it. One more in
 * the same file is found, too.
 */
const EXCUSED: Readonly<Record<string, readonly [number, string]>> = {
  'functions/pairingPage/browser/extension.ts: event new Promise': [1, 'a signal with a timeout ends it'],
  'shared/kernel/clock.ts: event new Promise': [1, 'the timer itself'],
  'shared/kernel/deadline.ts: event new Promise': [1, 'loses a race that is over'],
  'shared/platform/aws.ts: sdk client DynamoDBClient': [1, 'the one factory: guardCalls bounds each call'],
  'shared/platform/aws.ts: sdk client SQSClient': [1, 'the one factory: guardCalls bounds each call'],
  'shared/platform/taskClient.ts: sdk client ECSClient': [1, 'made like those of the factory'],
  'shared/platform/aws.ts: sdk client KMSClient': [1, 'the one factory: guardCalls bounds each call'],
  'ops/aws/cloudFormation.ts: sdk client CloudFormationClient': [1, 'awsSettings bounds each try'],
  'ops/aws/accountFacts.ts: sdk client STSClient': [1, 'awsSettings bounds each try'],
  'ops/aws/accountFacts.ts: sdk client IAMClient': [1, 'awsSettings bounds each try'],
  'ops/aws/accountFacts.ts: sdk client SSMClient': [1, 'awsSettings bounds each try'],
  'ops/aws/accountFacts.ts: sdk client ServiceQuotasClient': [1, 'awsSettings bounds each try'],
  'ops/aws/stageControls.ts: sdk client ApiGatewayV2Client': [1, 'awsSettings bounds each try'],
  'ops/aws/stageControls.ts: sdk client ApplicationAutoScalingClient': [1, 'awsSettings bounds each try'],
  'ops/aws/stageControls.ts: sdk client ECSClient': [1, 'awsSettings bounds each try'],
  'functions/shardCount/entry.ts: sdk client CloudFormationClient': [1, 'its requestHandler bounds each try'],
  'shared/platform/batchedCalls.ts: event new Promise': [
    2,
    'an entry and its call, which end with the signal of the caller or with the deadline of the client',
  ],
  'shared/platform/objectClient.ts: sdk client S3Client': [1, 'made like those of the factory'],
  'shared/media/objectParts.ts: event new Promise': [1, 'given up with the signal of its caller'],
  'shared/platform/boundedHttpHandler.ts: sdk client NodeHttpHandler': [1, 'ends with the signal of the call'],
  'shared/platform/storeRequest.ts: event new Promise': [1, 'one try: ends with the signal of the call'],
  'shared/platform/storeRequest.ts: network overHttp': [1, 'one try: ends with the signal of the call'],
  'shared/platform/storeRequest.ts: network overHttps': [1, 'one try: ends with the signal of the call'],
  'functions/runtime/lambdaRuntime.ts: network request': [
    2,
    'the next call, for which a function waits frozen; the answer, with the deadlines of undici',
  ],
  'functions/media/prepare/runProgram.ts: network spawn': [1, 'killed at its own deadline, or with the signal'],
  'functions/media/prepare/runProgram.ts: event once': [1, 'the end of that process'],
  'functions/stream/nodeStreams.ts: event once': [2, 'listeners; nothing waits for them'],
  'functions/stream/main.ts: event once': [1, 'a listener; nothing waits for it'],
  'functions/stream/streamServer.ts: event new Promise': [1, 'the port is bound or taken: the kernel answers at once'],
  'functions/stream/streamServer.ts: event once': [1, 'the same'],
  'functions/media/linkSource.ts: network request': [1, 'under a signal of fetchLink, which waits withDeadline'],
  'functions/media/fileSource.ts: network request': [
    1,
    'ends with the signal of fetchFile, and with the deadlines of its agent for head and silence',
  ],
  'functions/media/send/fileHosts.ts: network request': [
    1,
    'ends with the signal of sendFile, and with the deadlines of its agent for head and silence',
  ],
  'shared/platform/addressGuard.ts: network dnsLookup': [1, 'systemResolve, which the guard calls in withDeadline'],
  'shared/webhook/postWebhook.ts: event withResolvers': [
    2,
    'the head and the end of an answer, awaited in withDeadline',
  ],
  'worker/facts/byteRoom.ts: event new Promise': [1, 'ours to settle; given up with the signal of its caller'],
  'worker/sending/sendCommand.ts: event withResolvers': [1, 'settled in a finally; receipts wait 30 s for it at most'],
  'worker/fleet/openBudget.ts: event new Promise': [1, 'ours to settle; given up with the signal of its caller'],
  'worker/runner/connectionRunner.ts: event withResolvers': [1, 'the end of a runner; each wait for it is bounded'],
  'worker/runner/sessionSockets.ts: event withResolvers': [1, 'given up with the signal of its caller'],
  'worker/socket/inbound/appliedSettings.ts: baileys readMessages': [1, 'awaited in withDeadline by ReadReceipts'],
  'worker/socket/sending/acknowledgements.ts: event new Promise': [
    1,
    'awaited in withDeadline, and abandoned with the socket',
  ],
  'worker/socket/port/fairTurns.ts: event new Promise': [1, 'ours to settle, at the next turn of the event loop'],
  'worker/socket/inbound/factsInOrder.ts: event withResolvers': [1, 'races with a publish, which has a deadline'],
  'worker/socket/frameGate.ts: baileys pause': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: baileys resume': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: baileys listeners': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: baileys removeAllListeners': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: baileys on': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: baileys send.bind': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: baileys once': [1, 'the raw WebSocket; waits for nobody'],
  'worker/socket/frameGate.ts: event once': [1, 'a listener; nothing waits for it'],
  'worker/socket/handshakeDeadline.ts: event once': [2, 'listeners that end a deadline; nothing waits for them'],
  'worker/socket/ending.ts: baileys end': [2, 'not awaited: the TCP connection is cut after deadlines.socketClose'],
  'worker/socket/ending.ts: event withResolvers': [1, 'its close: forced after deadlines.socketClose'],
  'worker/socket/openLine.ts: baileys end': [1, 'not awaited: the TCP connection is cut with it'],
  'worker/socket/sending/deviceLookUps.ts: baileys signalRepository.validateSession': [1, 'reads our key store'],
  'worker/socket/openSocket.ts: baileys query': [1, 'the probe, which awaits it in withDeadline'],
  'worker/socket/openSocket.ts: event withResolvers': [1, 'caught up: awaited in withDeadline'],
  'worker/socket/pairing/pairing.ts: baileys ws.once': [
    1,
    'the answer to a request for a code, awaited in withDeadline',
  ],
  'worker/socket/pairing/pairing.ts: event new Promise': [
    1,
    'the answer to a request for a code, awaited in withDeadline',
  ],
  'worker/socket/pairing/pairing.ts: baileys updateServerTimeOffset': [1, 'a calculation'],
  'worker/socket/pairing/pairing.ts: baileys sendUnifiedSession': [1, 'nobody waits for it'],
  'worker/socket/signal/sessionKeys.ts: event withResolvers': [1, 'races with the write, which has a deadline'],
  'worker/socket/pairing/pairing.ts: event once': [1, 'the answer to a request for a code, awaited in withDeadline'],
  'worker/socket/sending/heardHistories.ts: event withResolvers': [1, 'races with a timer'],
  'worker/socket/inbound/longReceipts.ts: event withResolvers': [1, 'races with a timer'],
  'worker/socket/inbound/placeholders.ts: event withResolvers': [
    3,
    'they race with a timer, or end with the socket at the latest',
  ],
  'worker/socket/repairs/socketAgent.ts: network createSecureContext': [1, 'makes an object; asks nobody'],
  'worker/socket/repairs/socketAgent.ts: network connect': [
    1,
    'of a WebSocket, whose opening is bounded by `boundHandshake`',
  ],
  'worker/socket/repairs/socketAgent.ts: baileys on': [1, 'a listener on the raw connection; nothing waits for it'],
  'worker/socket/repairs/socketAgent.ts: event once': [1, 'a listener; nothing waits for it'],
  'worker/socket/socketEvidence.ts: event once': [1, 'a listener; nothing waits for it'],
  'worker/status/statusServer.ts: event new Promise': [2, 'our own server: begins to listen, and ends when all is cut'],
  'worker/status/statusServer.ts: event once': [1, 'our own server begins to listen'],
  'ops/runCommand.ts: network spawn': [1, 'a child that the operator watches and can stop'],
  'ops/runCommand.ts: event once': [1, 'a child that the operator watches and can stop'],
  'infra/local/queues.ts: sdk client SQSClient': [1, 'sets the emulator up, before anything runs'],
  'infra/local/tables.ts: sdk client DynamoDBClient': [1, 'sets the emulator up, before anything runs'],
};

/** The embedded stack is a development tool: only clients of stores and calls of the API are judged there. */
const isJudged = (key: string): boolean =>
  !key.startsWith('infra/local/') || key.includes(': sdk client') || key.startsWith('infra/local/apiClient.ts');

const found = ['shared', 'functions', 'worker', 'ops', 'infra', 'extension'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .flatMap((file) => findOutsideCalls(file, readFileSync(join(root, file), 'utf8')))
    .filter(({ key }) => isJudged(key)),
);
const byKey = Map.groupBy(found, ({ key }) => key);

describe('waits for the outside world', () => {
  it('have a deadline, each of them, or are excused by name', () => {
    const unbounded = [...byKey].flatMap(([key, calls]) => {
      const [excused] = EXCUSED[key] ?? [0];
      return calls.length > excused ? calls.map(({ line }) => `${key} (line ${line})`) : [];
    });

    expect(unbounded).toEqual([]);
  });

  it('are excused only where they are', () => {
    const idle = Object.entries(EXCUSED).filter(([key, [times]]) => byKey.get(key)?.length !== times);

    expect(idle).toEqual([]);
  });

  it('have numbers with a source each, and none of them is for ever', () => {
    for (const { ms, source } of Object.values(deadlines)) {
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(300_000);
      expect(source.length).toBeGreaterThan(10);
    }
    expect([deadlines.socketClose.ms, deadlines.mediaHeaders.ms, deadlines.mediaDownload.ms]).toEqual([
      2_000, 10_000, 30_000,
    ]);
  });
});

describe('the check bites', () => {
  const keysOf = (file: string, source: string): readonly string[] =>
    findOutsideCalls(file, source).map(({ key }) => key.slice(file.length + 2));

  it.each<[string, string, string, readonly string[]]>([
    [
      'a client of the SDK beside the factory',
      'functions/x.ts',
      `import { SQSClient, type SendMessageCommand } from '@aws-sdk/client-sqs';\nconst queue = new SQSClient({});`,
      ['sdk client SQSClient'],
    ],
    [
      'a client of another service under another name',
      'functions/x.ts',
      `import { ECSClient as Containers } from '@aws-sdk/client-ecs';\nconst ecs = new Containers({});`,
      ['sdk client Containers'],
    ],
    [
      'a handler that is made or extended',
      'functions/x.ts',
      `import { NodeHttpHandler } from '@smithy/node-http-handler';\nclass Mine extends NodeHttpHandler {}\nnew NodeHttpHandler();`,
      ['sdk client NodeHttpHandler', 'sdk client NodeHttpHandler'],
    ],
    ['a fetch', 'shared/x.ts', `const answer = await fetch('https://example.org');`, ['network fetch']],
    ['a fetch in a template', 'shared/x.ts', 'const text = `a ${await fetch(url)} b`;', ['network fetch']],
    [
      'a request of undici, and one of node:http',
      'shared/x.ts',
      `import { request } from 'undici';\nimport * as http from 'node:http';\nawait request(url);\nhttp.request(url);`,
      ['network request', 'network http'],
    ],
    [
      'a connection and a look-up',
      'shared/x.ts',
      `import { connect } from 'node:net';\nimport { lookup as find } from 'node:dns/promises';\nconnect(1);\nfind('a');`,
      ['network connect', 'network find'],
    ],
    [
      'a call on Baileys',
      'worker/socket/x.ts',
      `await this.#socket.relayMessage(jid, message);`,
      ['baileys relayMessage'],
    ],
    [
      'a query in two steps',
      'worker/socket/x.ts',
      `const { socket } = parts;\nreturn socket\n  .query(node);`,
      ['baileys query'],
    ],
    [
      'a promise of an event',
      'worker/x.ts',
      `await new Promise((resolve) => emitter.once('end', resolve));`,
      ['event new Promise', 'event once'],
    ],
    [
      'a promise with its resolvers',
      'worker/x.ts',
      `const later = Promise.withResolvers<void>();`,
      ['event withResolvers'],
    ],
    [
      'what stands behind a deadline and not in it',
      'worker/socket/x.ts',
      `await withDeadline('a', 5, () => socket.query(node));\nawait socket.query(node);`,
      ['baileys query'],
    ],
  ])('on %s', (_name, file, source, expected) => {
    expect(keysOf(file, source)).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['in a deadline', 'shared/x.ts', `await withDeadline<string>('a', 5, (signal) => fetch(url, { signal }));`],
    ['with a signal that ends in time', 'shared/x.ts', `await fetch(url, { signal: AbortSignal.timeout(5) });`],
    ['in a comment or a text', 'shared/x.ts', `// fetch(url)\nconst text = 'fetch(url)'; /* new Promise( */`],
    [
      'a type',
      'shared/x.ts',
      `import type { SQSClient } from '@aws-sdk/client-sqs';\nconst send = (queue: SQSClient) => queue;`,
    ],
    ['a listener on Baileys', 'worker/socket/x.ts', `socket.ws.on('CB:ack', listen);`],
    ['a call on Baileys outside its room', 'worker/runner/x.ts', `await socket.close('end');`],
  ])('not on what is bounded or is none: %s', (_name, file, source) => {
    expect(keysOf(file, source)).toEqual([]);
  });
});
