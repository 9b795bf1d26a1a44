import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Agent, request } from 'undici';
import { makeTenant } from '../../infra/local/apiClient.ts';
import { makePrograms, MEMORY_ENVIRONMENT, NODE_FLAGS, programFile } from '../../infra/local/programs.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { TalkingChild } from './childTalk.ts';
import type { FloorServerAnswers } from './messagesFloorServer.ts';
import { processesUnder, type ProcessView } from './messagesProcesses.ts';
import type { CallTally } from './messagesProxy.ts';
import { MessagesReceiver } from './messagesReceiver.ts';
import type { MessagesStackAnswers } from './messagesStack.ts';

const STACK = 'test/bench/messagesStack.ts';

/** An account with a customer who writes with it; their chat is the only one of the account. */
export interface LinkedAccount {
  readonly number: string;
  readonly customer: string;
  /** The name that the side gives it: `connectionId` of its events. */
  readonly id: string;
}

/** What is measured: the product, or the floor. */
export interface MessagesSide {
  readonly whatsApp: WhatsAppClient;
  readonly receiver: MessagesReceiver;
  /** What webhooks tell of each message that arrives. */
  readonly tells: readonly string[];
  /** Links a phone by its QR code. Resolves with the account's id when it is online. */
  readonly link: (number: string) => Promise<string>;
  /** Sends a text. Resolves with the message's id when it was accepted; throws with the answer otherwise. */
  readonly send: (account: LinkedAccount, text: string) => Promise<string>;
  /** All processes of it, emulators and simulator among them. */
  readonly processes: () => readonly ProcessView[];
  /** Calls to the stores since the last call; empty where nothing counts. */
  readonly calls: () => Promise<readonly CallTally[]>;
  readonly slowStores: (delayMs: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What a tenant may do that links a whole fleet at once, and sends as fast as it can: limits are not what is measured. */
const BENCH_QUOTAS = {
  requests: 1_000_000,
  requestsOfKey: 1_000_000,
  messagesPerMinute: 1_000_000,
  messagesPerDay: 1_000_000,
  pairings: 1_000,
  unpairedConnections: 1_000,
} as const;
const OFFER_EVERY_MS = 500;
const ONLINE_MS = 60_000;
const REQUEST_MS = 30_000;
const SIMULATOR = fileURLToPath(new URL('../whatsapp/main.ts', import.meta.url));

/** Starts the product, with a tenant that has one webhook. */
export async function startProduct(options: {
  readonly counting: boolean;
  /** Whether each send carries an `Idempotency-Key`. */
  readonly withKeys: boolean;
}): Promise<MessagesSide> {
  // The supervisor runs in the process that starts the stack, so that is run as `npm start` runs a supervisor.
  const programs = await makePrograms((line) => void process.stderr.write(`  ${line}\n`), [STACK]);
  const stack = TalkingChild.start<MessagesStackAnswers>(pathToFileURL(programFile(STACK, programs)), {
    node: NODE_FLAGS,
    env: MEMORY_ENVIRONMENT,
  });
  const { apiUrl, controlUrl, operatorKey, pid } = await stack.ask('begin', options);
  const whatsApp = new WhatsAppClient(controlUrl);
  const receiver = await MessagesReceiver.start();
  const api = await makeTenant(apiUrl, operatorKey, 'Bench', BENCH_QUOTAS);
  const { secret } = await api.must('POST', '/v1/webhooks', { url: receiver.url });
  receiver.trust(String(secret));
  const agent = new Agent({ connections: null });
  const isOnline = (id: string) =>
    receiver.next(
      `that ${id} is online`,
      ({ type, connectionId, status }) => type === 'connection.status' && connectionId === id && status === 'online',
      ONLINE_MS,
    );
  return {
    whatsApp,
    receiver,
    tells: ['sent', 'delivered'],
    link: async (number) => {
      const { id } = await api.must('POST', '/v1/connections', { label: `account ${number.slice(-4)}` });
      const path = `/v1/connections/${String(id)}/pairing`;
      await api.must('POST', path, { method: 'qr' });
      const giveUpAtMs = performance.now() + ONLINE_MS;
      let offer;
      do {
        if (performance.now() > giveUpAtMs) throw new Error(`no offer for ${number}`);
        await sleep(OFFER_EVERY_MS);
        offer = await api.call('GET', path);
      } while (offer.status !== 200);
      await whatsApp.scan(number, String(offer.json['qr']));
      await isOnline(String(id));
      return String(id);
    },
    send: async ({ id, customer }, text) => {
      const body = JSON.stringify({ to: `+${customer}`, type: 'text', text: { body: text } });
      const headers = {
        authorization: `Bearer ${api.key}`,
        'content-type': 'application/json',
        ...(options.withKeys ? { 'idempotency-key': randomUUID() } : {}),
      };
      const json = await post(agent, `${apiUrl}/v1/connections/${id}/messages`, 202, headers, body);
      return String(json['id']);
    },
    processes: () => processesUnder(pid),
    calls: () => stack.ask('calls', undefined),
    slowStores: (delayMs) => stack.ask('slow', { delayMs }),
    stop: async () => {
      await stack.ask('end', undefined);
      await Promise.all([stack.stop(), receiver.stop(), agent.destroy()]);
    },
  };
}

/** Starts the floor, with a simulator of its own that runs as the product's does. */
export async function startFloor(): Promise<MessagesSide> {
  const folder = mkdtempSync(join(tmpdir(), 'floor-'));
  const simulator = spawn(process.execPath, [SIMULATOR, '--state-dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = (): void => void simulator.kill('SIGKILL');
  process.once('exit', end);
  const [line] = (await once(createInterface({ input: simulator.stdout }), 'line')) as [string];
  const place = JSON.parse(line) as {
    readonly webSocketUrl: string;
    readonly controlUrl: string;
    readonly rootKey: string;
  };
  const whatsApp = new WhatsAppClient(place.controlUrl);
  const receiver = await MessagesReceiver.start();
  const floor = TalkingChild.start<FloorServerAnswers>(new URL('./messagesFloorServer.ts', import.meta.url));
  const { url, pid } = await floor.ask('begin', { ...place, hookUrl: receiver.url });
  const agent = new Agent({ connections: null });
  return {
    whatsApp,
    receiver,
    tells: ['delivered'],
    link: async (number) => {
      await whatsApp.scan(number, await floor.ask('offer', { account: number }));
      await receiver.next(
        `that ${number} is online`,
        ({ type, connectionId }) => type === 'connection.status' && connectionId === number,
        ONLINE_MS,
      );
      return number;
    },
    send: async ({ id, customer }, text) => {
      const json = await post(agent, url, 200, {}, JSON.stringify({ account: id, to: customer, text }));
      return String(json['id']);
    },
    processes: () => [...processesUnder(pid), ...processesUnder(simulator.pid ?? 0)],
    calls: () => Promise.resolve([]),
    slowStores: () => Promise.resolve(),
    stop: async () => {
      await Promise.all([floor.stop(), receiver.stop(), agent.destroy()]);
      process.removeListener('exit', end);
      const gone = once(simulator, 'exit');
      simulator.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function post(
  dispatcher: Agent,
  url: string,
  wanted: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Readonly<Record<string, unknown>>> {
  const options = {
    dispatcher,
    method: 'POST',
    headers,
    body,
    headersTimeout: REQUEST_MS,
    bodyTimeout: REQUEST_MS,
  } as const;
  const answer = await request(url, options);
  const text = await answer.body.text();
  if (answer.statusCode !== wanted) throw new Error(`${answer.statusCode} ${text.slice(0, 300)}`);
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
