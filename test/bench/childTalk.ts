import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { withDeadline } from '../../shared/kernel/deadline.ts';

/** Questions that a child process answers, by name. What they take and give must survive structured cloning. */
export type Answers = Readonly<Record<string, (question: never) => unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly question: unknown;
}
type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

const STOP_MS = 10_000;

/** A process that this one started, and talks with. */
export class TalkingChild<Known extends Answers> {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: Answer) => {
      const waiting = this.#open.get(answer.id);
      this.#open.delete(answer.id);
      if ('error' in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.value);
    });
    child.once('exit', (code) => {
      for (const waiting of this.#open.values()) waiting.reject(new Error(`the child process ended with ${code}`));
    });
  }

  /** Starts a module. @param options.node arguments for node itself @param options.env added to this process's own */
  static start<Known extends Answers>(
    module: URL,
    options: { readonly node?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
  ): TalkingChild<Known> {
    const { node = [], env = {} } = options;
    return new TalkingChild(
      fork(module, [], { execArgv: [...node], env: { ...process.env, ...env }, serialization: 'advanced' }),
    );
  }

  /** Rejects with the sentence of the child's failure, or when it ends. */
  ask<Name extends keyof Known & string>(
    name: Name,
    question: Parameters<Known[Name]>[0],
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    this.#last += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#open.set(this.#last, waiting);
    this.#child.send({ id: this.#last, name, question } satisfies Question);
    return waiting.promise as Promise<Awaited<ReturnType<Known[Name]>>>;
  }

  /** Ends it and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await withDeadline('the end of a child process', STOP_MS, () => exited).catch(() => this.#child.kill('SIGKILL'));
  }
}

/** Answers the parent for as long as it is there. */
export function answerParent(answers: Answers): void {
  process.on('message', ({ id, name, question }: Question) => {
    void (async () => answers[name]?.(question as never))().then(
      (value) => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? '') : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
