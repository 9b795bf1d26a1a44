import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { backoffMs } from '../kernel/backoff.ts';
import type { ConnectionId, CorrelationId, EventId, TenantId } from '../kernel/id.ts';
import type { TransactionWrite } from '../message/messageWrites.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { handledFactKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { EventDraft, EventType } from './event.ts';
import type { EventLogDependencies, EventPlaces } from './eventLog.ts';
import { eventIdAt, isStale, pageWrite, takePlacesFor, toEvent, toEventText, voidPlaces } from './eventPages.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * One fact becomes at most one event, in one transaction of three parts: the fact is handled, the message changes, and
 * the event is written. The worker that published the fact may die between this and the fan-out to webhooks, so the
 * handled row keeps the event and the batch that made it: the same batch again gets the same event again; the same fact
 * in another batch is a repeat by WhatsApp and gets nothing.
 */
export interface RecordDependencies extends Pick<Surroundings, 'random'>, EventLogDependencies {}

/** What is written for a fact. `ignored` leaves no trace. */
export type OncePlan =
  | { readonly plan: 'ignored' }
  | {
      readonly plan: 'stored';
      readonly draft?: EventDraft;
      /** Writes of the same transaction. */
      readonly changes?: readonly TransactionWrite[];
    };

export interface FactSource {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  /** The name of the piece of work that records the fact; a repetition of that work carries the same one. */
  readonly batchId: string;
  /**
   * The keys of the fact within the connection, one for each name of its people: it is written down under the first and
   * counts as handled if it was under any of them.
   */
  readonly factKeys: readonly [string, ...string[]];
}

/** The part of an event in the log that the fan-out needs. */
export interface RecordedEvent {
  readonly eventId: EventId;
  readonly type: EventType;
  readonly correlationId: CorrelationId;
}

const TRIES = 6;
const RETRY_DELAY = { firstMs: 50, capMs: 1_000 } as const;

/**
 * Records a fact unless it is handled. Returns its event, or undefined when it makes none or another batch handled it.
 * Throws when the store stays busy or fails; the fact is then not handled, or a repetition finds that it is.
 * @param plan called before each try, as the state that it depends on may have changed
 */
export async function recordOnce(
  dependencies: RecordDependencies,
  source: FactSource,
  plan: () => Promise<OncePlan>,
): Promise<RecordedEvent | undefined> {
  let held: EventPlaces | undefined;
  try {
    for (let attempt = 0; ; attempt++) {
      const handled = await findHandled(dependencies, source);
      if (handled !== undefined) return handled.batchId === source.batchId ? handled.event : undefined;
      const planned = await plan();
      if (planned.plan === 'ignored') return undefined;
      if (held !== undefined && isStale(held, dependencies.clock.nowMs())) {
        await voidHeld(dependencies, source, held);
        held = undefined;
      }
      if (planned.draft !== undefined)
        held ??= await takePlacesFor(dependencies, source.tenantId, source.connectionId, 1);
      const writes = toWrites(dependencies, source, planned, held);
      try {
        await dependencies.table.send(new TransactWriteCommand({ TransactItems: writes.map(({ write }) => write) }));
        const filled = held;
        held = undefined;
        return toRecorded(planned.draft, filled);
      } catch (error) {
        const refusal = judgeRefusal(
          error,
          writes.map(({ name }) => name),
        );
        if (refusal === 'other' || attempt + 1 === TRIES) throw error;
        if (refusal === 'place_void') held = undefined;
        if (refusal === 'busy') {
          await dependencies.clock.sleep(backoffMs(RETRY_DELAY, attempt, dependencies.random.unit()));
        }
      }
    }
  } finally {
    if (held !== undefined) await voidHeld(dependencies, source, held);
  }
}

type WriteName = 'handled' | 'change' | 'event';
interface NamedWrite {
  readonly name: WriteName;
  readonly write: TransactionWrite;
}

/**
 * The reason why a transaction was refused: the place was void, so another is needed; something it depends on has
 * changed; the store was busy with another write of the same rows.
 * @param names the names of the writes, in their order
 */
export function judgeRefusal(error: unknown, names: readonly WriteName[]): 'place_void' | 'changed' | 'busy' | 'other' {
  if (!(error instanceof TransactionCanceledException)) return 'other';
  const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code ?? 'None');
  if (codes[names.indexOf('event')] === 'ConditionalCheckFailed') return 'place_void';
  if (codes.includes('ConditionalCheckFailed')) return 'changed';
  return codes.some((code) => BUSY_CODES.has(code)) ? 'busy' : 'other';
}

const BUSY_CODES: ReadonlySet<string> = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

function toWrites(
  dependencies: RecordDependencies,
  source: FactSource,
  planned: Extract<OncePlan, { plan: 'stored' }>,
  place: EventPlaces | undefined,
): readonly NamedWrite[] {
  const nowMs = dependencies.clock.nowMs();
  const recorded = toRecorded(planned.draft, place);
  const handled: TransactionWrite = {
    Put: {
      TableName: tableName(dependencies.stage, 'core'),
      Item: {
        ...handledFactKey(source.connectionId, source.factKeys[0]),
        batchId: source.batchId,
        event: recorded,
        ttl: expiryOf('handledFact', nowMs),
      },
      // DynamoDB deletes expired items late, so an expired row counts as absent.
      ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':now': Math.floor(nowMs / 1_000) },
    },
  };
  const writes: NamedWrite[] = [{ name: 'handled', write: handled }];
  for (const write of planned.changes ?? []) writes.push({ name: 'change', write });
  if (planned.draft !== undefined && place !== undefined) {
    const page = [toEventText(toEvent(place, 0, planned.draft))];
    writes.push({ name: 'event', write: pageWrite(dependencies, source.tenantId, place, page) });
  }
  return writes;
}

function toRecorded(draft: EventDraft | undefined, place: EventPlaces | undefined): RecordedEvent | undefined {
  if (draft === undefined || place === undefined) return undefined;
  const { type, correlationId } = draft;
  return { eventId: eventIdAt(place, 0), type, correlationId: correlationId as CorrelationId };
}

interface Handled {
  readonly batchId: string;
  readonly event: RecordedEvent | undefined;
}

/** Finds the fact under any of its keys: when it came before, fewer names of its people may have been known. */
async function findHandled(dependencies: RecordDependencies, source: FactSource): Promise<Handled | undefined> {
  const found = await Promise.all(
    source.factKeys.map((factKey) => findHandledKey(dependencies, source.connectionId, factKey)),
  );
  return found.find((handled) => handled?.batchId === source.batchId) ?? found.find((handled) => handled !== undefined);
}

async function findHandledKey(
  { table, stage, clock }: RecordDependencies,
  connectionId: ConnectionId,
  factKey: string,
): Promise<Handled | undefined> {
  const answer = await table.send(
    new GetCommand({
      TableName: tableName(stage, 'core'),
      Key: handledFactKey(connectionId, factKey),
      ConsistentRead: true,
    }),
  );
  const item = answer.Item;
  if (item === undefined || isExpired(item, clock.nowMs())) return undefined;
  return { batchId: item['batchId'] as string, event: item['event'] as RecordedEvent | undefined };
}

/**
 * Gives up a number, so that no reader waits for it. If the transaction was written after all (its answer was lost),
 * its place is filled and stays so; if the store is gone, a reader settles it later.
 */
async function voidHeld(dependencies: RecordDependencies, source: FactSource, held: EventPlaces): Promise<void> {
  await voidPlaces(dependencies, source.tenantId, held).catch(() => undefined);
}
