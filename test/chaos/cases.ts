import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from './expectations.ts';
import type { FleetUnderTest } from './fleetUnderTest.ts';
import type { Passage, TcpProxy } from './tcpProxy.ts';

/** The budgets of ownership that limits follow from (docs/protocol.md, "Numbers"). */
export interface Budgets {
  readonly heartbeatMs: number;
  readonly fenceMs: number;
  readonly deathMs: number;
  readonly opensPerSecond: number;
  /** What a worker may open at once when it has opened nothing for a while. */
  readonly opensAtOnce: number;
  readonly commandWaitSeconds: number;
}

export interface ChaosCase {
  readonly name: string;
  readonly what: string;
  /** How many workers it begins with, if not with as many as the run. */
  readonly workers?: number;
  /** Resolves when nothing is kept from working any more. */
  readonly fault: (fleet: FleetUnderTest) => Promise<void>;
  /** What it may cost, beside what no case may (expectations.ts). */
  readonly limits: (budgets: Budgets, fleet: { readonly connections: number; readonly workers: number }) => Limits;
}

const SECOND_MS = 1_000;
const CALM_MS = 30 * SECOND_MS;
const FROZEN_MS = 60 * SECOND_MS;
const EVEN_DEADLINE_MS = 300 * SECOND_MS;

/** The fleet is told, and only has to claim and to open. */
const proven: ChaosCase['limits'] = () => ({ openP50Ms: 7 * SECOND_MS, openMaxMs: 12 * SECOND_MS });
/** The fleet first has to be sure. At production timings: 35 s and 45 s. */
const observed: ChaosCase['limits'] = ({ deathMs }) => ({
  openP50Ms: deathMs + 10 * SECOND_MS,
  openMaxMs: deathMs + 20 * SECOND_MS,
});
const nobodyReplaced: ChaosCase['limits'] = () => ({ replaced: 0 });
const nothingHappens: ChaosCase['limits'] = () => ({ replaced: 0, reconnected: 0 });
/** Sockets that were given up come back 15 s after the store at the latest, no faster than the budget. */
const backWithinBudget: ChaosCase['limits'] = ({ opensPerSecond }, { connections, workers }) => ({
  backMs: 20 * SECOND_MS + (connections / (opensPerSecond * workers)) * SECOND_MS,
});

export const chaosCases: readonly ChaosCase[] = [
  {
    name: 'none',
    what: 'nothing is done for 30 s',
    fault: () => sleep(CALM_MS),
    limits: nothingHappens,
  },
  {
    name: 'sigkill',
    what: 'a worker that holds connections is killed, and ECS tells',
    fault: async ({ crew }) => crew.kill(await crew.holder(), true),
    limits: proven,
  },
  {
    name: 'sigkill-unreported',
    what: 'a worker that holds connections is killed, and nobody tells',
    fault: async ({ crew }) => crew.kill(await crew.holder(), false),
    limits: observed,
  },
  {
    name: 'sigkill-leader',
    what: 'the leader is killed, and ECS tells',
    fault: async ({ crew }) => crew.kill(await crew.leader(), true),
    limits: proven,
  },
  {
    name: 'sigkill-leader-unreported',
    what: 'the leader is killed, and nobody tells',
    fault: async ({ crew }) => crew.kill(await crew.leader(), false),
    limits: observed,
  },
  {
    name: 'sigstop',
    what: 'a worker that holds connections is frozen for 60 s and goes on',
    fault: async ({ crew }) => {
      const { pid } = await crew.holder();
      process.kill(pid, 'SIGSTOP');
      await sleep(FROZEN_MS);
      process.kill(pid, 'SIGCONT');
    },
    limits: () => ({ replacedPerConnection: 1 }),
  },
  {
    name: 'sigterm',
    what: 'a worker that holds connections is asked to stop',
    fault: async ({ crew }) => crew.dismiss(await crew.holder()),
    limits: () => ({ replaced: 0, gapP50Ms: 2 * SECOND_MS, gapP99Ms: 5 * SECOND_MS }),
  },
  {
    name: 'deploy',
    what: 'each worker is replaced: a new one comes, then an old one is asked to stop',
    fault: ({ crew }) => crew.deploy(),
    limits: nobodyReplaced,
  },
  {
    name: 'store-10s',
    what: 'DynamoDB answers no worker for 10 s',
    fault: ({ storeProxy }) => block(storeProxy, 'silent', 10 * SECOND_MS),
    limits: nothingHappens,
  },
  {
    name: 'store-10s-refused',
    what: 'DynamoDB refuses the connections of workers for 10 s',
    fault: ({ storeProxy }) => block(storeProxy, 'refused', 10 * SECOND_MS),
    limits: nothingHappens,
  },
  {
    name: 'store-60s',
    what: 'DynamoDB answers no worker for 60 s',
    fault: ({ storeProxy }) => block(storeProxy, 'silent', 60 * SECOND_MS),
    limits: backWithinBudget,
  },
  {
    name: 'store-60s-refused',
    what: 'DynamoDB refuses the connections of workers for 60 s',
    fault: ({ storeProxy }) => block(storeProxy, 'refused', 60 * SECOND_MS),
    limits: backWithinBudget,
  },
  {
    name: 'whatsapp-60s',
    what: 'WhatsApp cuts all connections and refuses new ones for 60 s',
    fault: ({ whatsAppProxy }) => block(whatsAppProxy, 'refused', 60 * SECOND_MS),
    limits: () => ({}),
  },
  {
    name: 'whatsapp-120s',
    what: 'WhatsApp resets all connections, and each new one, for 120 s',
    fault: ({ whatsAppProxy }) => block(whatsAppProxy, 'reset', 120 * SECOND_MS),
    limits: (budgets, { workers }) => ({
      replaced: 0,
      opensPerSecond: (budgets.opensPerSecond + budgets.opensAtOnce) * workers,
    }),
  },
  {
    name: 'scale',
    what: 'one worker becomes five, and five become two',
    workers: 1,
    fault: async ({ crew }) => {
      await crew.hire(4);
      // Evening out is slow on purpose; what it has not moved by then is moved by those who leave.
      await crew.evenOut(EVEN_DEADLINE_MS).catch(() => undefined);
      for (let leaving = 3; leaving > 0; leaving -= 1) await crew.dismiss(await crew.holder());
    },
    limits: nobodyReplaced,
  },
];

async function block(proxy: TcpProxy, passage: Passage, forMs: number): Promise<void> {
  await proxy.set(passage);
  await sleep(forMs);
  await proxy.set('open');
}
