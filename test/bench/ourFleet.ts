import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { VETTED_VERSION } from '../../shared/fleet/whatsAppVersion.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId, makeStanzaId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { makeLocalKeyProvider } from '../../shared/platform/keyProvider.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { openSession, type Session } from '../../worker/session/session.ts';
import type { OwnedConnection } from '../../worker/fleet/ownedConnection.ts';
import type { ConnectionSocket, SocketInput } from '../../worker/socket/port/connectionSocket.ts';
import { openSocket } from '../../worker/socket/openSocket.ts';
import { prepareProcess } from '../../worker/socket/repairs/prepareProcess.ts';
import { someContent } from '../shared/content/someContent.ts';
import { FakeDynamoDb } from '../simulation/aws/fakeDynamoDb.ts';
import { openGate } from '../worker/fleet/gates.ts';
import { pause, type FleetSide, type SideOptions } from './fleetSide.ts';

/** The worker's defaults (`shared/platform/config.ts`). */
const CONFIG = {
  reconnectBaseDelayMs: 1_000,
  reconnectMaxDelayMs: 60_000,
  reconnectMaxAttempts: 10,
  stableAfterMs: 60_000,
  openWithinMs: 150_000,
  connectTimeoutMs: 120_000,
  pairingQueryTimeoutMs: 120_000,
  onlineQueryTimeoutMs: 15_000,
  keepAliveMs: 45_000,
  serverAckTimeoutMs: 20_000,
  commandWaitSeconds: 20,
  commandVisibilitySeconds: 30,
  paceBudgets: 'off',
  messagesPerMinute: 60,
  messagesPerChatPerMinute: 30,
} as const;

/** What one opening of a connection makes. */
export interface OpeningParts {
  readonly socket: ConnectionSocket;
  readonly session: Session;
}

interface Open {
  readonly socket: ConnectionSocket;
  readonly opened: PromiseWithResolvers<void>;
  readonly caughtUp: PromiseWithResolvers<void>;
}

/**
 * The socket room and the session store of the worker. The table is in memory and each call to it takes the latency, as
 * does each publish; the AWS SDK is not in it. What is published is written as JSON and forgotten.
 * @param onOpening sees what is made for each socket
 */
export function makeOurFleet(
  { url, rootKey, latencyMs }: SideOptions,
  onOpening: (parts: OpeningParts) => void = () => undefined,
): FleetSide {
  prepareProcess({ rootKey: Buffer.from(rootKey, 'hex') });
  const keyProvider = makeKeyProvider();
  const database = new FakeDynamoDb();
  const send = async (command: unknown): Promise<unknown> => {
    await pause(latencyMs);
    return database.apply(command);
  };
  const table = { send } as unknown as DynamoDBDocumentClient;
  const connections: OwnedConnection[] = [];
  const open = new Map<number, Open>();
  let generation = 0;
  let received = 0;

  const sessionOf = (connection: OwnedConnection): Promise<Session> =>
    openSession(connection, {
      table,
      stage: 'bench',
      gate: openGate,
      clock: systemClock,
      random: systemRandom,
      metrics: silentMetrics,
      storeTimeoutMs: 5_000,
      keyProvider,
    });
  const publisher = {
    publish: async (_connection: OwnedConnection, facts: readonly { readonly kind: string }[]): Promise<void> => {
      JSON.stringify(facts);
      await pause(latencyMs);
      received += facts.filter(({ kind }) => kind === 'message').length;
    },
  };

  return {
    load: async (accounts) => {
      for (const { creds, preKeys } of accounts) {
        const connection = newConnection();
        const session = await sessionOf(connection);
        await session.storeNewCredentials(creds);
        await session.setKeys({ 'pre-key': preKeys });
        connections.push(connection);
      }
    },
    open: async (index) => {
      const connection = connections[index];
      if (connection === undefined) throw new Error(`there is no connection ${index}`);
      const session = await sessionOf(connection);
      await session.raiseEpoch();
      generation += 1;
      const [opened, caughtUp] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      for (const { promise } of [opened, caughtUp]) promise.catch(() => undefined);
      const emit = (input: SocketInput): void => {
        if (input.type === 'socket_opened') opened.resolve();
        if (input.type === 'caught_up') caughtUp.resolve();
        if (input.type === 'socket_closed') {
          const reason = new Error(`closed: ${JSON.stringify(input.close)}`);
          opened.reject(reason);
          caughtUp.reject(reason);
        }
      };
      const socket = openSocket({
        connection,
        generation,
        version: VETTED_VERSION,
        pairing: undefined,
        session,
        gate: openGate,
        publisher,
        config: CONFIG,
        whatsappUrl: url,
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        metrics: silentMetrics,
        emit,
        scope: new Scope('socket'),
        received: { listUpTo: async () => 'missing', noteMarked: async () => undefined },
        kept: { find: async () => undefined, newestIn: async () => undefined, oldestIn: async () => undefined },
        countFiltered: async () => undefined,
        askedFiles: { find: async () => [], answered: async () => undefined },
        keepPicture: async () => ({ id: 'med_1', state: 'pending' }),
        lookUps: { find: async () => new Map(), keep: async () => undefined },
        recordHistory: async () => undefined,
        lookUpSent: async () => undefined,
      });
      onOpening({ socket, session });
      open.set(index, { socket, opened, caughtUp });
      await opened.promise;
    },
    caughtUp: async (index) => open.get(index)?.caughtUp.promise,
    send: async (index, to, body) => {
      const stanzaId = makeStanzaId(systemRandom);
      const outcome = await open.get(index)?.socket.send({ stanzaId, to, content: someContent(body) });
      if (outcome?.outcome !== 'acknowledged') throw new Error(`not sent: ${JSON.stringify(outcome)}`);
    },
    close: async (index) => {
      await open.get(index)?.socket.close('end');
      open.delete(index);
    },
    received: () => received,
  };
}

function makeKeyProvider() {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  const provider = makeLocalKeyProvider(keyFile);
  rmSync(folder, { recursive: true });
  return provider;
}

function newConnection(): OwnedConnection {
  const nowMs = Date.now();
  return {
    tenantId: makeId('tnt', nowMs, systemRandom),
    connectionId: makeId('con', nowMs, systemRandom),
    shard: 0,
    token: 1,
  };
}
