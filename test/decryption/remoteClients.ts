import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Clients, Received } from './clients.ts';
import type { Order, ProcessOptions } from './clientsProcess.ts';

interface Answer {
  readonly done?: number;
  readonly error?: string;
  readonly received?: Received;
}

/** Clients in a process of their own. A stop ends the process, a start makes a new one: nothing is remembered. */
export class RemoteClients implements Clients {
  readonly #options: ProcessOptions;
  readonly #onReceived: (received: Received) => void;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #child: ChildProcess | undefined;
  #orders = 0;

  constructor(options: ProcessOptions, onReceived: (received: Received) => void) {
    this.#options = options;
    this.#onReceived = onReceived;
  }

  pair = (number: string): Promise<void> => this.#order('pair', number);
  send = (number: string, to: string, text: string): Promise<void> => this.#order('send', number, to, text);
  start = (): Promise<void> => this.#order('start');

  stop = async (): Promise<void> => {
    await this.#order('stop');
    await this.end();
  };

  /** Ends the process, whatever it is doing. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async #order(call: Order['call'], ...args: readonly string[]): Promise<void> {
    this.#child ??= this.#spawn();
    const id = (this.#orders += 1);
    const answered = new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.send({ id, call, args } satisfies Order);
    await answered;
  }

  #spawn(): ChildProcess {
    const child = fork(join(import.meta.dirname, 'clientsProcess.ts'), [JSON.stringify(this.#options)]);
    child.on('message', ({ done, error, received }: Answer) => {
      if (received !== undefined) this.#onReceived(received);
      const waiting = done === undefined ? undefined : this.#waiting.get(done);
      if (done !== undefined) this.#waiting.delete(done);
      if (error === undefined) waiting?.resolve();
      else waiting?.reject(new Error(error));
    });
    child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the clients ended: ${code ?? signal}`));
      this.#waiting.clear();
    });
    return child;
  }
}
