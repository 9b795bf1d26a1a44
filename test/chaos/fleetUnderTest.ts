import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, makeTenant } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack, WorkerReach } from '../../infra/local/stackOptions.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { Crew } from './crew.ts';
import { inParallel } from './inParallel.ts';
import { TcpProxy } from './tcpProxy.ts';
import { generousPlans } from '../emulators/storeConfig.ts';

/** A WhatsApp account that is linked, and the person who chats with it. */
export interface Account {
  readonly number: string;
  readonly connectionId: string;
  /** Number of the phone that writes to it and is written to. */
  readonly customer: string;
}

export interface FleetOptions {
  readonly connections: number;
  readonly workers: number;
  readonly shards: number;
  readonly timings: 'production' | 'quick';
  /** What a worker or the supervisor has to say. */
  readonly say: (line: string) => void;
}

/** The embedded stack with linked accounts on several workers, a tenant beside it, and proxies in which faults are made. */
export interface FleetUnderTest {
  readonly stack: RunningStack;
  readonly crew: Crew;
  readonly accounts: readonly Account[];
  readonly customers: readonly string[];
  readonly tenant: ApiClient;
  readonly receiver: WebhookReceiver;
  readonly whatsApp: WhatsAppClient;
  /** In front of the store, for the workers only. */
  readonly storeProxy: TcpProxy;
  readonly whatsAppProxy: TcpProxy;
  readonly timings: FleetOptions['timings'];
  readonly shards: number;
  /** Rejects when a part of the stack ended that nobody replaces; never resolves. */
  readonly broken: Promise<never>;
  /** Stops everything; the data go, and the logs too unless they are to be kept. */
  readonly stop: (keepLogs: boolean) => Promise<void>;
}

/** Evens out sooner, but not so soon that it happens while a fault is measured. */
/** Accounts write to more people than new ones may. */
const UNPACED = { HOLDFAST_PACE_BUDGETS: 'off' } as const;
const QUICK_SETTINGS = { HOLDFAST_REBALANCE_EVERY_MS: '30000', ...UNPACED } as const;
const FIRST_ACCOUNT = 4_915_200_000_000;
const FIRST_CUSTOMER = 4_915_300_000_000;
/** Every account of a fleet is linked within minutes, and written to without a pause: limits are not what is tried here. */
const CHAOS_QUOTAS = { pairings: 100_000, messagesPerMinute: 1_000_000 } as const;
/** The number of customers, as many as the rivals were measured with. */
const CUSTOMERS = 20;
/** Pairing makes 812 pre-keys for each account, so it is bound by the machine's cores and not by waiting. */
const PAIRED_AT_ONCE = 12;

/** Boots a fleet and links all accounts. Throws, leaving nothing behind but the logs that the message names. */
export async function bootFleet(options: FleetOptions): Promise<FleetUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  const proxies: TcpProxy[] = [];
  const stack = await startStack({
    dataDir,
    port: 0,
    live: false,
    workers: options.workers,
    shards: options.shards,
    plans: generousPlans,
    ...(options.timings === 'production'
      ? { workerTimings: 'production', workerSettings: UNPACED }
      : { workerTimings: 'local', workerSettings: QUICK_SETTINGS }),
    // What is measured is what the workers do by themselves; and it would end the processes that a case has frozen.
    watchdogSettings: false,
    between: (reached) => putProxiesBetween(reached, proxies),
    say: options.say,
    onBroken: (reason) => reject(new Error(`The stack broke. ${reason}`)),
  });
  // However this process ends, it takes its children along: killing is synchronous.
  const killAll = (): void => stack.kill();
  process.on('exit', killAll);
  const receiver = await startWebhookReceiver();
  const stop = async (keepLogs: boolean): Promise<void> => {
    for (const proxy of proxies) await proxy.set('open');
    await stack.stop();
    await receiver.stop();
    for (const proxy of proxies) await proxy.stop();
    process.off('exit', killAll);
    for (const name of keepLogs ? readdirSync(dataDir).filter((entry) => entry !== 'logs') : ['']) {
      rmSync(join(dataDir, name), { recursive: true, force: true });
    }
  };
  const [storeProxy, whatsAppProxy] = proxies;
  if (storeProxy === undefined || whatsAppProxy === undefined) throw new Error('The stack did not ask for proxies.');
  try {
    const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    const tenant = await makeTenant(stack.apiUrl, stack.operatorKey, 'Chaos', CHAOS_QUOTAS);
    const webhook = await tenant.must('POST', '/v1/webhooks', { url: receiver.url });
    receiver.trust(String(webhook['secret']));
    const customers = numbersFrom(FIRST_CUSTOMER, Math.min(CUSTOMERS, options.connections));
    const accounts = await Promise.race([linkAccounts(tenant, whatsApp, customers, options.connections), broken]);
    return {
      stack,
      crew: new Crew(stack, new ApiClient(stack.apiUrl, stack.operatorKey)),
      accounts,
      customers,
      tenant,
      receiver,
      whatsApp,
      storeProxy,
      whatsAppProxy,
      timings: options.timings,
      shards: options.shards,
      broken,
      stop,
    };
  } catch (error) {
    await stop(true);
    throw new Error(`${(error as Error).message} Logs: ${stack.logs}`, { cause: error });
  }
}

/**
 * Puts proxies between the workers and what they reach, also when no fault needs them, so that all cases run under the
 * same conditions.
 */
async function putProxiesBetween(reached: WorkerReach, proxies: TcpProxy[]): Promise<WorkerReach> {
  const store = new URL(reached.dynamoDbEndpoint);
  const whatsApp = new URL(reached.whatsAppUrl ?? '');
  for (const { hostname, port } of [store, whatsApp]) {
    proxies.push(await TcpProxy.start({ host: hostname, port: Number(port) }));
  }
  store.port = String(proxies[0]?.port);
  whatsApp.port = String(proxies[1]?.port);
  return { dynamoDbEndpoint: store.origin, whatsAppUrl: whatsApp.href };
}

async function linkAccounts(
  tenant: ApiClient,
  whatsApp: WhatsAppClient,
  customers: readonly string[],
  count: number,
): Promise<readonly Account[]> {
  await inParallel(customers, PAIRED_AT_ONCE, (number) => whatsApp.addPhone(number, 'Customer'));
  return inParallel(numbersFrom(FIRST_ACCOUNT, count), PAIRED_AT_ONCE, async (number, index) => {
    await whatsApp.addPhone(number, 'Shop');
    const connectionId = await pairSandboxPhone(tenant, whatsApp, { number, method: 'qr' });
    return { number, connectionId, customer: customers[index % customers.length] ?? '' };
  });
}

function numbersFrom(first: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(first + index));
}
