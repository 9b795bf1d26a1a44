import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { ActionStore } from '../../../shared/action/actionStore.ts';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { makeId, makeStanzaId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { makeSentIds } from '../../../shared/kernel/sentIds.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { MessageStore } from '../../../shared/message/messageStore.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { someContent } from '../content/someContent.ts';
import { makeTestClock, type TestClock } from './testClock.ts';

/** Stores on the DynamoDB emulator, with a clock of the test's. */
export interface EventStores {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly clock: TestClock;
  readonly random: typeof systemRandom;
  readonly messages: MessageStore;
  readonly actions: ActionStore;
  readonly stop: () => Promise<void>;
}

export async function startEventStores(): Promise<EventStores> {
  const dynamoDb = await startDynamoDb();
  await createTables(dynamoDb.endpoint, 'test');
  const table = makeDocumentClient(aStoreConfig({ dynamoDb }));
  const messages = new MessageStore({ table, stage: 'test' });
  const actions = new ActionStore({ table, stage: 'test' });
  const stop = async (): Promise<void> => {
    table.destroy();
    await dynamoDb.stop();
  };
  return { table, stage: 'test', clock: makeTestClock(), random: systemRandom, messages, actions, stop };
}

/** Ids that no other test uses. */
export function newIds(): { readonly tenantId: TenantId; readonly connectionId: ConnectionId } {
  const nowMs = Date.now();
  return { tenantId: makeId('tnt', nowMs, systemRandom), connectionId: makeId('con', nowMs, systemRandom) };
}

/** The stores that the tests of one `describe` share, and ids that each test has for itself. */
export interface EventRoom {
  readonly stores: EventStores;
  readonly ids: ReturnType<typeof newIds>;
  /** Takes new ids in the middle of a test, for another case of it. */
  readonly renewIds: () => void;
  /** The id of a batch that no other one has. */
  readonly nextBatchId: () => string;
}

/** Starts and stops the stores around the tests of a `describe`, in which it is called. */
export function eventRoom(): EventRoom {
  let stores: EventStores | undefined;
  let ids = newIds();
  let batches = 0;
  const renewIds = (): void => {
    ids = newIds();
  };
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores?.stop());
  beforeEach(renewIds);
  return {
    get stores() {
      if (stores === undefined) throw new Error('the stores are there once a test runs');
      return stores;
    },
    get ids() {
      return ids;
    },
    renewIds,
    nextBatchId: () => `batch-${(batches += 1)}`,
  };
}

/** A message that we are sending. */
export function aSentMessage(
  ids: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
  overrides: Partial<SentMessage> = {},
): SentMessage {
  const createdAtMs = overrides.createdAtMs ?? Date.UTC(2026, 7, 1, 11, 59);
  return {
    ...ids,
    ...makeSentIds(ids.connectionId, createdAtMs, systemRandom),
    direction: 'out',
    to: '4915123456789@s.whatsapp.net',
    content: someContent('hello'),
    state: 'sending',
    error: undefined,
    correlationId: 'cor-of-request' as SentMessage['correlationId'],
    attempts: 1,
    createdAtMs,
    sentAtMs: undefined,
    deliveredAtMs: undefined,
    readAtMs: undefined,
    ...overrides,
  };
}

/** A text from a contact, as a worker publishes it. */
export function aMessageFact(overrides: Partial<Extract<Fact, { kind: 'message' }>> = {}): Fact {
  const stanzaId = overrides.stanzaId ?? makeStanzaId(systemRandom);
  return {
    key: `message:${stanzaId}`,
    atMs: Date.UTC(2026, 7, 1, 12, 0),
    kind: 'message',
    stanzaId,
    chat: '4915111111111@s.whatsapp.net',
    sender: '4915111111111@s.whatsapp.net',
    fromMe: false,
    senderName: 'Ada',
    content: someContent('good morning'),
    ...overrides,
  };
}

/** A batch of facts, as a worker publishes it. */
export function aBatch(
  ids: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
  events: readonly Fact[],
  batchId = 'batch-1',
): FactBatch {
  const correlationId = 'cor-of-batch' as FactBatch['correlationId'];
  return { version: 1, ...ids, shard: 0, token: 1, correlationId, batchId, events: [...events] };
}
