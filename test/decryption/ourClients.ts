import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VETTED_VERSION } from '../../shared/fleet/whatsAppVersion.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, makeStanzaId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { openSession } from '../../worker/session/session.ts';
import type { OwnedConnection } from '../../worker/fleet/ownedConnection.ts';
import type { ConnectionSocket, PairingRequest, SocketInput } from '../../worker/socket/port/connectionSocket.ts';
import { openSocket } from '../../worker/socket/openSocket.ts';
import type { SentOnce } from '../../worker/socket/port/sentOnce.ts';
import { prepareProcess } from '../../worker/socket/repairs/prepareProcess.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { someContent } from '../shared/content/someContent.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { until } from '../whatsapp/until.ts';
import { makeSwitchGate } from '../worker/fleet/gates.ts';
import type { Clients, ClientsOptions } from './clients.ts';

const DEADLINE_MS = 30_000;
/** How often a message is tried whose fate is unknown, under the same stanza id, as its queue does it. */
const MOST_TRIES = 5;

interface Account {
  readonly connection: OwnedConnection;
  readonly inputs: SocketInput[];
  socket: ConnectionSocket | undefined;
}

/** The product's socket room on its session store. A start opens new sessions: nothing is remembered. */
export function makeOurClients({ whatsApp, folder, dynamoDbEndpoint, onReceived }: ClientsOptions): Clients {
  prepareProcess({ rootKey: Buffer.from(whatsApp.rootKey, 'hex') });
  const phones = new WhatsAppClient(whatsApp.controlUrl);
  const table = makeDocumentClient(aStoreConfig({ dynamoDb: { endpoint: dynamoDbEndpoint } }));
  const gate = makeSwitchGate();
  const keyFile = join(folder, 'key');
  const accountsFile = join(folder, 'accounts.json');
  const sentFile = join(folder, 'sent.jsonl');
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  const accounts = new Map<string, Account>();
  const sent = new Map<string, SentOnce>();

  const opened = async (number: string, pairing?: PairingRequest): Promise<Account> => {
    const account = accounts.get(number) ?? { connection: aConnection(), inputs: [], socket: undefined };
    accounts.set(number, account);
    const { connection, inputs } = account;
    const session = await openSession(connection, {
      table,
      stage: 'test',
      gate,
      clock: systemClock,
      random: systemRandom,
      metrics: silentMetrics,
      storeTimeoutMs: 5_000,
      keyProvider: makeLocalKeyProvider(keyFile),
    });
    if (pairing === undefined) await session.raiseEpoch();
    inputs.length = 0;
    account.socket = openSocket({
      connection,
      generation: 1,
      version: VETTED_VERSION,
      pairing,
      session,
      scope: new Scope('socket'),
      gate,
      publisher: {
        publish: async (_connection, facts) => {
          for (const fact of facts) {
            if (fact.kind !== 'message' || fact.fromMe || fact.content.type !== 'text') continue;
            onReceived({ number, text: fact.content.text.body, key: fact.key });
          }
        },
      },
      config: {
        reconnectBaseDelayMs: 100,
        reconnectMaxDelayMs: 1_000,
        reconnectMaxAttempts: 10,
        stableAfterMs: 60_000,
        openWithinMs: DEADLINE_MS,
        connectTimeoutMs: 20_000,
        pairingQueryTimeoutMs: DEADLINE_MS,
        onlineQueryTimeoutMs: 15_000,
        keepAliveMs: 30_000,
        serverAckTimeoutMs: 15_000,
        commandWaitSeconds: 1,
        commandVisibilitySeconds: 30,
        paceBudgets: 'off',
        messagesPerMinute: 60,
        messagesPerChatPerMinute: 30,
      },
      whatsappUrl: whatsApp.webSocketUrl,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: silentMetrics,
      emit: (input) => void inputs.push(input),
      received: { listUpTo: async () => 'missing', noteMarked: async () => undefined },
      kept: { find: async () => undefined, newestIn: async () => undefined, oldestIn: async () => undefined },
      countFiltered: async () => undefined,
      askedFiles: { find: async () => [], answered: async () => undefined },
      keepPicture: async () => ({ id: 'med_1', state: 'pending' }),
      lookUps: { find: async () => new Map(), keep: async () => undefined },
      recordHistory: async () => undefined,
      lookUpSent: async (stanzaId) => sent.get(stanzaId),
    });
    return account;
  };

  return {
    pair: async (number) => {
      const account = await opened(number, { method: 'qr' });
      const { offer } = await inputOf(account, 'pairing_offered');
      await phones.scan(number, offer.method === 'qr' ? offer.qr : '');
      await inputOf(account, 'socket_closed');
      await inputOf(await opened(number), 'caught_up');
      const stored = [...accounts].map(([key, { connection }]) => [key, connection]);
      writeFileSync(accountsFile, JSON.stringify(stored));
    },
    send: async (number, to, text) => {
      const account = accounts.get(number);
      if (account === undefined) throw new Error(`${number} is not linked`);
      const stanzaId = makeStanzaId(systemRandom);
      const content = someContent(text);
      const record: SentOnce = { to: `${to}@s.whatsapp.net`, atMs: Date.now() };
      sent.set(stanzaId, record);
      appendFileSync(sentFile, `${JSON.stringify([stanzaId, record])}\n`);
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        // Nothing is sent before the offline queue is drained, as in the product's runner.
        await inputOf(account, 'caught_up');
        const outcome = await account.socket?.send({ stanzaId, to: record.to, content, triedBefore: tries > 0 });
        if (outcome?.outcome === 'acknowledged') return;
      }
      throw new Error(`${text} was not taken`);
    },
    stop: async () => {
      await Promise.all([...accounts.values()].map(async ({ socket }) => socket?.close('end')));
    },
    start: async () => {
      for (const [number, connection] of JSON.parse(readFileSync(accountsFile, 'utf8')) as [
        string,
        OwnedConnection,
      ][]) {
        accounts.set(number, { connection, inputs: [], socket: undefined });
      }
      const lines = existsSync(sentFile) ? readFileSync(sentFile, 'utf8').split('\n').filter(Boolean) : [];
      for (const line of lines) sent.set(...(JSON.parse(line) as [string, SentOnce]));
      await Promise.all([...accounts.keys()].map(async (number) => inputOf(await opened(number), 'socket_opened')));
    },
  };
}

function aConnection(): OwnedConnection {
  return {
    tenantId: makeId('tnt', Date.now(), systemRandom),
    connectionId: makeId('con', Date.now(), systemRandom),
    shard: 0,
    token: 1,
  };
}

/** Waits for an input of an account's present socket. */
async function inputOf<Type extends SocketInput['type']>(
  { inputs }: Account,
  type: Type,
): Promise<Extract<SocketInput, { readonly type: Type }>> {
  const isWanted = (input: SocketInput): input is Extract<SocketInput, { readonly type: Type }> => input.type === type;
  const found = await until(
    type,
    () => inputs.find(isWanted),
    (input) => input !== undefined,
    DEADLINE_MS,
  );
  if (found === undefined) throw new Error('unreachable');
  return found;
}
