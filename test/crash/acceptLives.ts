import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { ObjectConfig } from '../../shared/platform/objectConfig.ts';
import type { FaultPlan } from './portWatch.ts';

/** Where a process of the functions finds its stores. */
export interface FunctionsWorld {
  readonly dynamoDb: { readonly endpoint: string };
  readonly queues: { readonly endpoint: string; readonly queueUrlBase: string };
  readonly objects: ObjectConfig;
}

/** What such a process is told, and what it says. `atMs`: the time on its clock, which stands still. */
export type ToFunctions =
  | ({ readonly kind: 'begin' } & FunctionsWorld)
  | { readonly kind: 'arm' | 'reconcile'; readonly atMs: number; readonly plan?: FaultPlan }
  | { readonly kind: 'calls' };
export type FromFunctions =
  | { readonly kind: 'ready' | 'armed' }
  | { readonly kind: 'begun'; readonly url: string }
  | { readonly kind: 'calls'; readonly calls: readonly string[] }
  | { readonly kind: 'reconciled'; readonly error?: string };

export interface SendAnswer {
  readonly status: number;
  readonly id: string;
}

const CHILD = new URL('./acceptChild.ts', import.meta.url);
/** Spares each life the compilation of what all of them load. */
const environment = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };
const ANSWER_MS = 120_000;

/** One life of a process of the functions. */
export class FunctionsLife {
  readonly #child: ChildProcess;
  readonly #exited: Promise<NodeJS.Signals | null>;
  #url = '';

  private constructor() {
    this.#child = fork(CHILD, [], { env: environment, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#exited = once(this.#child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
  }

  static async start(world: FunctionsWorld): Promise<FunctionsLife> {
    const life = new FunctionsLife();
    await life.#next('ready');
    const begun = await life.#ask({ kind: 'begin', ...world }, 'begun');
    life.#url = begun?.kind === 'begun' ? begun.url : '';
    return life;
  }

  /** Sets the clock, and counts calls from here on. */
  async arm(atMs: number, plan?: FaultPlan): Promise<void> {
    await this.#ask({ kind: 'arm', atMs, ...(plan === undefined ? {} : { plan }) }, 'armed');
  }

  /** The calls since it was armed, in their order. */
  async calls(): Promise<readonly string[]> {
    const answer = await this.#ask({ kind: 'calls' }, 'calls');
    return answer?.kind === 'calls' ? answer.calls : [];
  }

  /** Asks for a message to be sent. Undefined: the process died before it answered. */
  async send(request: {
    readonly connectionId: string;
    readonly apiKey: string;
    readonly content: object;
    readonly key?: string | undefined;
  }): Promise<SendAnswer | undefined> {
    const { connectionId, apiKey, content, key } = request;
    try {
      const answer = await fetch(`${this.#url}/v1/connections/${connectionId}/messages`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body: JSON.stringify({ to: '+4915100000002', ...content }),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const body = (await answer.json()) as { readonly id?: unknown };
      return { status: answer.status, id: String(body.id) };
    } catch (error) {
      if ((await this.died()) === 'SIGKILL') return undefined;
      throw error;
    }
  }

  /** One run of reconcile, at a time. Returns false when the process died of its plan. */
  async reconcile(atMs: number, plan?: FaultPlan): Promise<boolean> {
    const message = { kind: 'reconcile', atMs, ...(plan === undefined ? {} : { plan }) } as const;
    const answer = await this.#ask(message, 'reconciled');
    if (answer?.kind === 'reconciled' && answer.error !== undefined) throw new Error(answer.error);
    return answer !== undefined;
  }

  /** Resolves when the process has ended, with the signal that ended it. */
  died(): Promise<NodeJS.Signals | null> {
    return withDeadline('the end of a process', ANSWER_MS, () => this.#exited);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #ask(message: ToFunctions, kind: FromFunctions['kind']): Promise<FromFunctions | undefined> {
    const answered = this.#next(kind);
    this.#child.send(message, () => undefined);
    return answered;
  }

  /** The next message of a kind; undefined when the process ends first. */
  #next(kind: FromFunctions['kind']): Promise<FromFunctions | undefined> {
    return withDeadline(`${kind} of a process`, ANSWER_MS, async () => {
      const told = Promise.withResolvers<FromFunctions>();
      const listener = (message: unknown): void => {
        if ((message as FromFunctions).kind === kind) told.resolve(message as FromFunctions);
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
