import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { InstanceWorld } from './instance.ts';
import type { FaultPlan } from './portWatch.ts';

/** What a life of a worker is told, and what it says. */
export type ToLife =
  | { readonly kind: 'begin'; readonly world: InstanceWorld; readonly isArmed: boolean; readonly plan?: FaultPlan }
  | { readonly kind: 'arm'; readonly plan?: FaultPlan }
  | { readonly kind: 'disarm' };
export type FromLife =
  | { readonly kind: 'ready' | 'armed' | 'caught_up' | 'crashed' }
  | { readonly kind: 'calls'; readonly calls: readonly string[] }
  | { readonly kind: 'broken'; readonly reason: string };

/** How a worker lives: `thread` of this process, or a `process` that is really killed. */
export type LifeKind = 'thread' | 'process';

interface Channel {
  readonly post: (message: ToLife) => void;
  readonly onMessage: (listener: (message: FromLife) => void) => void;
  /** Resolves when nothing of it runs any more. */
  readonly kill: () => Promise<void>;
  readonly exited: Promise<void>;
}

const CHILD = new URL('./child.ts', import.meta.url);
/** Spares each life the compilation of what all of them load. */
const environment = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };
const ANSWER_MS = 10_000;
const START_MS = 120_000;

/** One life of a worker. It is started ahead of its time and does nothing until `begin`. */
export class Life {
  readonly #channel: Channel;
  readonly #waiting = new Map<FromLife['kind'], PromiseWithResolvers<FromLife>>();
  /** Reasons for which the worker itself wanted to end. */
  readonly broken: string[] = [];
  #isOver = false;
  #isOnline = false;
  /** It died by itself: by its plan. */
  readonly crashed: Promise<undefined>;

  constructor(kind: LifeKind) {
    this.#channel = kind === 'thread' ? aThread() : aProcess();
    const crashed = Promise.withResolvers<undefined>();
    this.crashed = crashed.promise;
    this.#channel.onMessage((message) => {
      if (message.kind === 'crashed') crashed.resolve(undefined);
      else if (message.kind === 'broken') this.broken.push(message.reason);
      else if (message.kind === 'caught_up') this.#isOnline = true;
      else this.#expect(message.kind).resolve(message);
    });
    void this.#channel.exited.then(() => {
      if (!this.#isOver) crashed.resolve(undefined);
    });
  }

  /** Resolves when it may begin. */
  async ready(): Promise<void> {
    await withDeadline('the start of a worker', START_MS, () => this.#expect('ready').promise);
  }

  /** Claims its shard. @param arm counts calls from the first one on, and dies where a plan says */
  begin(world: InstanceWorld, arm?: { readonly plan: FaultPlan | undefined }): void {
    const plan = arm?.plan;
    this.#channel.post({ kind: 'begin', world, isArmed: arm !== undefined, ...(plan === undefined ? {} : { plan }) });
  }

  async arm(plan: FaultPlan | undefined): Promise<void> {
    this.#waiting.delete('armed');
    this.#channel.post({ kind: 'arm', ...(plan === undefined ? {} : { plan }) });
    await withDeadline('arming', ANSWER_MS, () => Promise.race([this.#expect('armed').promise, this.crashed]));
  }

  /** The calls since it was armed, or undefined: it died before it could tell. */
  async disarm(): Promise<readonly string[] | undefined> {
    this.#waiting.delete('calls');
    this.#channel.post({ kind: 'disarm' });
    const answer = await withDeadline('the calls of a worker', ANSWER_MS, () =>
      Promise.race([this.#expect('calls').promise, this.crashed]),
    );
    return answer?.kind === 'calls' ? answer.calls : undefined;
  }

  /** Whether a socket of this life has drained the offline queue. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Ends it without a farewell. */
  async kill(): Promise<void> {
    this.#isOver = true;
    await this.#channel.kill();
  }

  #expect(kind: FromLife['kind']): PromiseWithResolvers<FromLife> {
    const known = this.#waiting.get(kind);
    if (known !== undefined) return known;
    const expected = Promise.withResolvers<FromLife>();
    this.#waiting.set(kind, expected);
    return expected;
  }
}

function aThread(): Channel {
  const worker = new Worker(CHILD, { env: environment });
  const exited = once(worker, 'exit').then(() => undefined);
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on('message', listener),
    kill: async () => void (await worker.terminate()),
    exited,
  };
}

function aProcess(): Channel {
  const child = fork(CHILD, [], { env: environment, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit').then(() => undefined);
  return {
    post: (message) => void child.send(message, () => undefined),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromLife)),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    exited,
  };
}
