import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createQueues, queueUrlBase } from '../../../infra/local/queues.ts';
import { startQueueServer, type QueueServer } from '../../../infra/local/queueServer.ts';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { deliveryQueueName } from '../../../shared/platform/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

const root = resolve(import.meta.dirname, '../../..');
const CALLERS = 8;
/** Few enough for a busy machine, enough for the end to come in the middle. */
const KILL_AFTER = 60;

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'holdfast-queues-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

interface Reached {
  readonly queue: SQSClient;
  readonly url: string;
}

async function reach(endpoint: string): Promise<Reached> {
  await createQueues(endpoint, 'test', 1);
  const base = queueUrlBase(endpoint);
  const queue = makeQueueClient(aStoreConfig({ queues: { endpoint, queueUrlBase: base } }, { storeTimeoutMs: 30_000 }));
  return { queue, url: `${base}${deliveryQueueName('test')}` };
}

/** The messages that a queue gives, until it gives none. */
async function drain({ queue, url }: Reached): Promise<readonly Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return all;
    all.push(...Messages);
  }
}

async function startEmulators(): Promise<{
  readonly process: ChildProcess;
  readonly sqs: string;
  readonly dynamoDbPid: number;
}> {
  const child = spawn(process.execPath, ['infra/local/emulatorsHost.ts', '--data', data], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { process: child, ...(JSON.parse(line) as { readonly sqs: string; readonly dynamoDbPid: number }) };
}

async function kill({ process: child, dynamoDbPid }: Awaited<ReturnType<typeof startEmulators>>): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  process.kill(dynamoDbPid, 'SIGKILL');
}

describe('the queue emulator', () => {
  it('has every message that it accepted after it was killed in the middle', async () => {
    const emulators = await startEmulators();
    const { queue, url } = await reach(emulators.sqs);
    const accepted = new Set<string>();
    let next = 0;
    const send = async (): Promise<void> => {
      for (;;) {
        const body = String((next += 1));
        await queue.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
        accepted.add(body);
        if (accepted.size === KILL_AFTER) void kill(emulators);
      }
    };
    // The calls under way at the end fail, and so does every later one.
    await Promise.allSettled(Array.from({ length: CALLERS }, send));

    const again = await startEmulators();
    const kept = new Set((await drain(await reach(again.sqs))).map(({ Body = '' }) => Body));
    await kill(again);

    expect(accepted.size).toBeGreaterThanOrEqual(KILL_AFTER);
    expect([...accepted].filter((body) => !kept.has(body))).toEqual([]);
  });

  it('knows after a restart what is hidden and until when, what was received how often, and what is gone', async () => {
    const before = await startQueueServer({ port: 0, dataDir: data });
    const { queue, url } = await reach(before.endpoint);
    for (const body of ['hidden', 'shown', 'gone']) {
      await queue.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
    }
    const receive = { MaxNumberOfMessages: 10, VisibilityTimeout: 2, MessageSystemAttributeNames: ['All' as const] };
    const receivedAtMs = Date.now();
    const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl: url, ...receive }));
    const handle = (body: string) => Messages.find((message) => message.Body === body)?.ReceiptHandle;
    await queue.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: handle('gone') }));
    const shown = { QueueUrl: url, ReceiptHandle: handle('shown'), VisibilityTimeout: 0 };
    await queue.send(new ChangeMessageVisibilityCommand(shown));
    await before.stop();

    const after = await startQueueServer({ port: 0, dataDir: data });
    const again = await reach(after.endpoint);
    const seen = new Map<string, number>();
    while (seen.size < 2) {
      const asked = new ReceiveMessageCommand({
        QueueUrl: again.url,
        ...receive,
        VisibilityTimeout: 60,
        WaitTimeSeconds: 10,
      });
      for (const { Body, Attributes } of (await again.queue.send(asked)).Messages ?? []) {
        const what = `${Body} ${Attributes?.ApproximateReceiveCount}`;
        seen.set(what, Math.min(Date.now(), seen.get(what) ?? Infinity));
      }
    }
    await after.stop();

    expect([...seen.keys()].toSorted()).toEqual(['hidden 2', 'shown 2']);
    expect(seen.get('hidden 2')).toBeGreaterThanOrEqual(receivedAtMs + 2_000);
  });

  it.each([
    ['what a page of a browser may send unasked', 'text/plain; application/x-amz-json-1.0', '{}', 400],
    ['what is no JSON', 'application/x-amz-json-1.0', '{"QueueName":', 400],
    ['what is no call', 'application/x-amz-json-1.0', '{}', 400],
    ['more than any call can be', 'application/x-amz-json-1.0', ' '.repeat(9 * 1_024 * 1_024), 413],
  ])('refuses %s, and goes on', async (_what, type, body, status) => {
    const server = await startQueueServer({ port: 0 });

    const headers = { 'content-type': type, 'x-amz-target': 'AmazonSQS.NoSuchCall' };
    const answer = await fetch(server.endpoint, { method: 'POST', headers, body });
    const { queue, url } = await reach(server.endpoint);
    await queue.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'one' }));
    await server.stop();

    expect(answer.status).toBe(status);
  });

  describe('with long polls', () => {
    let server: QueueServer;
    let reached: Reached;
    beforeEach(async () => {
      server = await startQueueServer({ port: 0, dataDir: data });
      reached = await reach(server.endpoint);
    });
    afterEach(() => server.stop());
    const poll = async (seconds: number): Promise<number> => {
      const command = new ReceiveMessageCommand({
        QueueUrl: reached.url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: seconds,
      });
      return (await reached.queue.send(command)).Messages?.length ?? 0;
    };
    const sendMany = (count: number) =>
      reached.queue.send(
        new SendMessageBatchCommand({
          QueueUrl: reached.url,
          Entries: Array.from({ length: count }, (_, index) => ({ Id: String(index), MessageBody: String(index) })),
        }),
      );

    it('gives the messages of one call to one of them, and lets the others wait on', async () => {
      const polls = [poll(3), poll(3)];

      await sendMany(10);
      const first = await Promise.race(polls);
      await sendMany(4);

      expect(first).toBe(10);
      expect((await Promise.all(polls)).sort((left, right) => left - right)).toEqual([4, 10]);
    });

    it('wakes as many as there are messages for', async () => {
      const polls = [poll(3), poll(3), poll(3)];

      await Promise.all([sendMany(10), sendMany(10)]);
      const counts = await Promise.all(polls);

      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    });
  });
});
