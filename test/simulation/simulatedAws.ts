import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { queueDefinitions } from '../../shared/platform/queues.ts';
import { FakeDynamoDb } from './aws/fakeDynamoDb.ts';
import { FakeSqs } from './aws/fakeSqs.ts';
import type { Machine } from './machine.ts';
import type { Arrival, CallOptions, Network, Service } from './network.ts';
import type { VirtualTime } from './virtualTime.ts';

export const STAGE = 'sim';
export const QUEUE_URL_BASE = 'https://sqs/';

/** Called with every command that a service accepted, with the caller and the time. */
export type EffectWatcher = (command: unknown, arrival: Arrival) => void;
/** Changes a command before it is applied: how a deliberately broken variant of the protocol writes. */
export type Rewrite = (command: unknown) => unknown;

interface BatchCommand {
  readonly input: { readonly Entries?: readonly { readonly Id: string | undefined }[] };
}

interface Waiter {
  readonly url: string;
  readonly check: () => void;
}

/** The stores and queues of the simulated world, each in memory, behind a network. */
export class SimulatedAws {
  readonly dynamoDb = new FakeDynamoDb({ unusedPlaceholders: 'refused' });
  readonly sqs = new FakeSqs();
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #rewrite: Rewrite;
  readonly #watchers: EffectWatcher[] = [];
  readonly #waiting = new Set<Waiter>();

  constructor(time: VirtualTime, network: Network, shardCount: number, rewrite: Rewrite) {
    this.#time = time;
    this.#network = network;
    this.#rewrite = rewrite;
    for (const { name, fifo, visibilityTimeoutSeconds, deadLetter } of queueDefinitions(STAGE, shardCount)) {
      const url = `${QUEUE_URL_BASE}${name}`;
      // All FIFO queues of the product have this mode (`fifoThroughput`).
      const own = { url, visibilitySeconds: visibilityTimeoutSeconds, highThroughput: fifo };
      if (deadLetter === undefined) this.sqs.createQueue(own);
      else {
        const dead = `${QUEUE_URL_BASE}${deadLetter.name}`;
        this.sqs.createQueue({ ...own, deadLetter: { url: dead, maxReceiveCount: deadLetter.maxReceiveCount } });
      }
    }
  }

  watch(watcher: EffectWatcher): void {
    this.#watchers.push(watcher);
  }

  /** A document client of one process. Deadline and tries as the real factory sets them. */
  documentClient(machine: Machine, options: Omit<CallOptions, 'signal'>): DynamoDBDocumentClient {
    const send = (command: unknown, given?: { readonly abortSignal?: AbortSignal }): Promise<unknown> =>
      this.#network.call(machine, 'store', this.#store, command, { ...options, signal: given?.abortSignal });
    return { send, destroy: () => undefined } as unknown as DynamoDBDocumentClient;
  }

  queueClient(machine: Machine, options: Omit<CallOptions, 'signal'>): SQSClient {
    const send = (command: unknown, given?: { readonly abortSignal?: AbortSignal }): Promise<unknown> =>
      this.#network.call(machine, 'queue', this.#queue, command, { ...options, signal: given?.abortSignal });
    return { send, destroy: () => undefined } as unknown as SQSClient;
  }

  readonly #store: Service = (command, arrival, answer) => {
    answer(() => {
      const result = this.dynamoDb.apply(this.#rewrite(command));
      this.#tell(command, arrival);
      return result;
    });
  };

  readonly #queue: Service = (command, arrival, answer) => {
    if (command instanceof ReceiveMessageCommand) {
      this.#poll(command, answer);
      return;
    }
    answer(() => {
      const result = this.#applyToQueue(command);
      this.#tell(command, arrival);
      return result;
    });
    for (const { check } of this.#waiting) this.#time.after(0, check);
  };

  /** Applies a command. Of a batch call SQS may fail any entries and take the others. */
  #applyToQueue(command: unknown): unknown {
    const entries = (command as BatchCommand).input.Entries;
    if (entries === undefined) return this.sqs.apply(command, this.#time.nowMs);
    const failed = entries.filter(() => this.#network.failsEntry());
    const Failed = failed.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }));
    if (failed.length === entries.length) return { Failed };
    const Batch = (command as object).constructor as new (input: object) => object;
    const taken = new Batch({
      ...(command as BatchCommand).input,
      Entries: entries.filter((entry) => !failed.includes(entry)),
    });
    const answer = this.sqs.apply(taken, this.#time.nowMs) as { readonly Failed?: readonly object[] };
    return { ...answer, Failed: [...(answer.Failed ?? []), ...Failed] };
  }

  /** A long poll: answered when there is something, or at its end. Who has gone meanwhile is answered too, as by AWS. */
  #poll(command: ReceiveMessageCommand, answer: (apply: () => unknown) => void): void {
    const url = command.input.QueueUrl ?? '';
    const untilMs = this.#time.nowMs + (command.input.WaitTimeSeconds ?? 0) * 1_000;
    const waiter: Waiter = {
      url,
      check: () => {
        if (!this.#waiting.has(waiter)) return;
        const result = this.sqs.apply(command, this.#time.nowMs) as { readonly Messages?: readonly unknown[] };
        if (result.Messages !== undefined || this.#time.nowMs >= untilMs) {
          this.#waiting.delete(waiter);
          answer(() => result);
          return;
        }
        const nextMs = this.sqs.nextVisibleAtMs(url, this.#time.nowMs) ?? untilMs;
        this.#time.after(Math.max(1, Math.min(untilMs, nextMs) - this.#time.nowMs), waiter.check);
      },
    };
    this.#waiting.add(waiter);
    waiter.check();
  }

  #tell(command: unknown, arrival: Arrival): void {
    for (const watcher of this.#watchers) watcher(command, arrival);
  }
}
