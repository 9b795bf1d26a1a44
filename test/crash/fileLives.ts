import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQSRecord } from 'aws-lambda';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { FaultPlan } from './portWatch.ts';

/** What a process of the media function is told, and what it says. */
export interface ToMedia {
  readonly record: SQSRecord;
  readonly plan?: FaultPlan;
}
export type FromMedia =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ran'; readonly isDone: boolean; readonly calls: readonly string[]; readonly error?: string };
/** What a run came to; undefined where its process died. */
export type MediaRun = Extract<FromMedia, { readonly kind: 'ran' }> | undefined;

const CHILD = new URL('./fileChild.ts', import.meta.url);
const ANSWER_MS = 120_000;
const LOGGED_UNITS = 2_000;

/** One life of a process of the media function. */
export class MediaLife {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #ready: Promise<FromMedia | undefined>;
  #logged = '';

  /** @param environment leads to its stores; its temporary files lie where `TMPDIR` says */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#child = fork(CHILD, [], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...environment },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#logged = `${this.#logged}${text}`.slice(-LOGGED_UNITS);
    });
    this.#exited = once(this.#child, 'exit');
    this.#ready = this.#next('ready');
    // A start that fails is told to the one that runs something in it.
    this.#ready.catch(() => undefined);
  }

  /** The end of what it logged. */
  get logged(): string {
    return this.#logged;
  }

  /** Gives it a record, as Lambda does. */
  async run(record: SQSRecord, plan?: FaultPlan): Promise<MediaRun> {
    await this.#ready;
    const ran = this.#next('ran');
    this.#child.send({ record, ...(plan === undefined ? {} : { plan }) } satisfies ToMedia, () => undefined);
    const answer = await ran;
    return answer?.kind === 'ran' ? answer : undefined;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** The next message of a kind; undefined when the process ends first. */
  #next(kind: FromMedia['kind']): Promise<FromMedia | undefined> {
    return withDeadline(`${kind} of a process`, ANSWER_MS, async () => {
      const told = Promise.withResolvers<FromMedia>();
      const listener = (message: unknown): void => {
        if ((message as FromMedia).kind === kind) told.resolve(message as FromMedia);
      };
      this.#child.on('message', listener);
      try {
        return await Promise.race([told.promise, this.#exited.then(() => undefined)]);
      } finally {
        this.#child.off('message', listener);
      }
    });
  }
}
