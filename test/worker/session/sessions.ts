import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { makeLocalKeyProvider, type KeyProvider } from '../../../shared/platform/keyProvider.ts';
import { silentMetrics } from '../../../shared/platform/metrics.ts';
import { openSession, type Session, type SessionOptions } from '../../../worker/session/session.ts';
import type { OwnedConnection } from '../../../worker/fleet/ownedConnection.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { openGate } from '../fleet/gates.ts';

export const TABLE = 'test-sessions';

/** Sessions of one connection after the other, in the real table. */
export class Sessions {
  readonly #dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  readonly keyProvider: KeyProvider;
  connection: OwnedConnection = newConnection();

  private constructor(dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>, keyProvider: KeyProvider) {
    this.#dynamoDb = dynamoDb;
    this.keyProvider = keyProvider;
  }

  static async start(): Promise<Sessions> {
    const dynamoDb = await startDynamoDb();
    await createTables(dynamoDb.endpoint, 'test');
    const keyFile = join(mkdtempSync(join(tmpdir(), 'session-')), 'key');
    writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
    return new Sessions(dynamoDb, makeLocalKeyProvider(keyFile));
  }

  stop(): Promise<void> {
    return this.#dynamoDb.stop();
  }

  /** Another connection, without any item. */
  next(): void {
    this.connection = newConnection();
  }

  table() {
    return makeDocumentClient(aStoreConfig({ dynamoDb: this.#dynamoDb }));
  }

  /** The session as an owner with this token opens it: nothing is remembered. */
  owner(token: number, overrides: Partial<SessionOptions> = {}): Promise<Session> {
    return openSession(
      { ...this.connection, token },
      {
        table: this.table(),
        stage: 'test',
        gate: openGate,
        clock: systemClock,
        random: systemRandom,
        metrics: silentMetrics,
        storeTimeoutMs: 5_000,
        keyProvider: this.keyProvider,
        ...overrides,
      },
    );
  }

  /** A session with credentials. */
  async paired(token = 1, overrides: Partial<SessionOptions> = {}): Promise<Session> {
    const session = await this.owner(token, overrides);
    await session.storeNewCredentials({ me: { id: '1@s.whatsapp.net' }, noiseKey: { private: Buffer.from([1, 2]) } });
    return session;
  }

  get pk(): string {
    return `SESSION#${this.connection.tenantId}#${this.connection.connectionId}`;
  }

  /** What is stored for the connection. */
  async items(): Promise<readonly Record<string, unknown>[]> {
    const answer = await this.table().send(
      new QueryCommand({
        TableName: TABLE,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': this.pk },
        ConsistentRead: true,
      }),
    );
    return answer.Items ?? [];
  }

  /** The stored item whose sort key ends so; undefined when there is none. */
  async item(end: string): Promise<Record<string, unknown> | undefined> {
    return (await this.items()).find(({ sk }) => String(sk).endsWith(end));
  }
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
