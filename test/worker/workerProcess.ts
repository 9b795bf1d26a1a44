import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { factBatchSchema, type FactBatch } from '../../shared/event/factBatch.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import { isPassing } from '../../shared/platform/judgeStoreCall.ts';
import { WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';

/** What runs as a worker. */
export interface WorkerProgram {
  readonly folder: string;
  readonly file: string;
  /** Flags of Node; those of a worker that runs from its sources if left out. */
  readonly flags?: readonly string[];
}

const WORKER: WorkerProgram = { folder: resolve(import.meta.dirname, '../..'), file: 'worker/main.ts' };

export interface WorkerProcess {
  readonly taskId: string;
  /** Everything it printed, line by line. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly errors: () => string;
  readonly ready: Promise<string>;
  readonly exited: Promise<number | null>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Asks its status server, once it is ready. */
  readonly status: (path: string) => Promise<Response>;
}

/**
 * Starts a real worker process. `ready` resolves to its worker id, or rejects when it ends before.
 * @param program this repository's worker if left out
 */
export function startWorkerProcess(environment: Readonly<Record<string, string>>, program = WORKER): WorkerProcess {
  const child = spawn(process.execPath, [...(program.flags ?? WORKER_NODE_FLAGS), program.file], {
    cwd: program.folder,
    env: {
      ...withoutOurs(process.env),
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      // Tests write to more people, and faster, than a new account may.
      HOLDFAST_PACE_BUDGETS: 'off',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Record<string, unknown>[] = [];
  const ready = Promise.withResolvers<string>();
  ready.promise.catch(() => undefined);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    if (line['ready'] === true) ready.resolve(String(line['workerId']));
  });
  const exited = once(child, 'close').then(([code]) => {
    ready.reject(new Error(`the worker ended with ${String(code)}: ${errors}`));
    return code as number | null;
  });
  return {
    taskId: environment['HOLDFAST_TASK_ID'] ?? '',
    lines,
    errors: () => errors,
    ready: ready.promise,
    exited,
    signal: (signal) => void child.kill(signal),
    status: async (path) => {
      await ready.promise;
      return fetch(`${String(lines.find((line) => line['ready'] === true)?.['statusUrl'])}${path}`);
    },
  };
}

/** A key file that only its owner can read. */
export function makeKeyFile(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-key-'));
  const path = join(folder, 'root.key');
  writeFileSync(path, randomBytes(32), { mode: 0o600 });
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

/** Takes what workers published out of the events queue, as ingest would. */
export function collectFacts(
  queue: SQSClient,
  queueUrlBase: string,
  record: (batch: FactBatch) => Promise<void> = () => Promise.resolve(),
) {
  const facts: Fact[] = [];
  const byConnection = new Map<ConnectionId, Fact[]>();
  const tokens = new Set<number>();
  const stopping = new AbortController();
  const QueueUrl = `${queueUrlBase}${eventQueueName('test')}`;
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      // A machine that stood still answers late: it is asked again, as ingest would be by SQS.
      const answer = await queue
        .send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }))
        .catch(async (error: unknown) => {
          if (!isPassing(error)) throw error;
          await systemClock.sleep(100);
          return undefined;
        });
      for (const { Body = '', ReceiptHandle } of answer?.Messages ?? []) {
        const batch = factBatchSchema.parse(JSON.parse(Body));
        await record(batch);
        facts.push(...batch.events);
        byConnection.set(batch.connectionId, [...(byConnection.get(batch.connectionId) ?? []), ...batch.events]);
        tokens.add(batch.token);
        await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })).catch((error: unknown) => {
          if (!isPassing(error)) throw error;
        });
      }
    }
  };
  const running = loop();
  return {
    facts: facts as readonly Fact[],
    factsOf: (connectionId: ConnectionId): readonly Fact[] => byConnection.get(connectionId) ?? [],
    tokens: tokens as ReadonlySet<number>,
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
}

function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(HOLDFAST_|WHATSAPP_|BAILEYS_|DATABASE_|AWS_)/.test(name)),
  );
}
