/** The product for the bench of messages: the embedded stack, with its supervisor in this process, as `npm start` has it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { answerParent } from './childTalk.ts';
import type { CallTally, MessagesProxy } from './messagesProxy.ts';

export interface StackPlace {
  readonly apiUrl: string;
  readonly controlUrl: string;
  readonly operatorKey: string;
  readonly pid: number;
}

export type MessagesStackAnswers = typeof answers;

const WORKERS = 2;
let stack: RunningStack | undefined;
let proxy: MessagesProxy | undefined;
let dataDir: string | undefined;

const answers = {
  /** @param question.counting with a proxy before the stores, which takes time of its own */
  begin: async ({ counting }: { readonly counting: boolean }): Promise<StackPlace> => {
    dataDir = mkdtempSync(join(tmpdir(), 'holdfast-messages-'));
    if (counting) proxy = new (await import('./messagesProxy.ts')).MessagesProxy();
    const counter = proxy;
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: WORKERS,
      // Slices are taken as they are in production, of rates that nobody here reaches.
      plans: { standard: { requests: 20_000, messagesPerMinute: 100_000, messagesPerDay: 10_000_000 } },
      // What is measured is the service, and not how long it makes senders wait.
      workerSettings: { HOLDFAST_PACE_BUDGETS: 'off' },
      ...(counter === undefined ? {} : { inFront: (emulators) => counter.inFront(emulators) }),
      say: (line) => void process.stderr.write(`  ${line}\n`),
      onBroken: (reason) => {
        process.stderr.write(`The stack broke. ${reason}\n`);
        process.exit(1);
      },
    });
    const { apiUrl, whatsAppControlUrl = '', operatorKey } = stack;
    return { apiUrl, controlUrl: whatsAppControlUrl, operatorKey, pid: process.pid };
  },

  /** The calls since the last question. */
  calls: (): readonly CallTally[] => proxy?.take() ?? [],

  /** Makes the answers of the stores to workers come that much later, apart from those about leases. */
  slow: ({ delayMs }: { readonly delayMs: number }): void => {
    proxy?.delay((caller, target, body) => {
      const isLease = JSON.stringify(body).includes('-fleet"');
      return caller === 'worker' && target.startsWith('DynamoDB') && !isLease ? delayMs : 0;
    });
  },

  end: async (): Promise<void> => {
    await stack?.stop();
    await proxy?.stop();
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
  },
};
// When the process that measures is gone, nothing that was started may stay. This comes first, as answering ends the process.
process.on('disconnect', () => stack?.kill());
answerParent(answers);
