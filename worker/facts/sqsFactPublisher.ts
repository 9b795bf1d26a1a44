import type { FactBatch } from '../../shared/event/factBatch.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import type { ConnectionId, CorrelationId } from '../../shared/kernel/id.ts';
import { toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { FactPublisher } from './factPublisher.ts';
import type { EventQueueChoice } from './eventQueueChoice.ts';
import { splitFacts, type FactPart } from './factParts.ts';
import { makeFactQueue, SUSPENDED_MS, type FactQueue, type FactQueueDependencies } from './factQueue.ts';
import { makeSafe, replace, sizeOf, type SafeFact } from './makeSafe.ts';
import { toNotStored } from './notStored.ts';

export interface PublisherDependencies extends FactQueueDependencies, Pick<Surroundings, 'logger' | 'metrics'> {
  readonly eventQueues: Pick<EventQueueChoice, 'of'>;
  /** Makes an id for each SQS message. It is the deduplication id, so a retried request counts once. */
  readonly makeBatchId: () => string;
}

/** The dependencies, and the queue that all connections of the worker share. */
interface Publishing extends PublisherDependencies {
  readonly facts: FactQueue;
}

/**
 * Publishes facts to the events queue, in one FIFO group for each connection; bodies of many connections share a call.
 * Publishes of one connection wait for each other, so the fact that was seen first is stored first; when one fails, its
 * later parts are not sent.
 */
export function makeSqsFactPublisher(given: PublisherDependencies): FactPublisher {
  const tails = new Map<ConnectionId, Promise<void>>();
  const dependencies: Publishing = { ...given, facts: makeFactQueue(given) };

  return {
    publish: async (connection, facts, correlationId) => {
      const before = tails.get(connection.connectionId) ?? Promise.resolve();
      const mine = before.then(() => send(dependencies, { connection, correlationId }, facts));
      // A publish that waits behind another waits for its end, not for its success: each publish reports its own
      // failure.
      const tail = mine.catch(() => undefined);
      tails.set(connection.connectionId, tail);
      try {
        await mine;
      } finally {
        if (tails.get(connection.connectionId) === tail) tails.delete(connection.connectionId);
      }
    },
  };
}

interface Publish {
  readonly connection: OwnedConnection;
  readonly correlationId: CorrelationId;
}

interface PublishTo extends Publish {
  readonly queue: number;
}

/**
 * Sends facts after making them safe. Throws NotStoredError when the queue does not accept them: they are then not
 * known to be durable.
 */
async function send(dependencies: Publishing, publish: Publish, facts: readonly Fact[]): Promise<void> {
  const safe = facts.flatMap((fact) => admit(dependencies, publish, makeSafe(fact, dependencies.clock.nowMs())));
  if (safe.length === 0) return;
  const queue = await chooseQueue(dependencies, publish).catch(throwNotStored);
  for (const part of splitFacts(safe)) await sendPart(dependencies, { ...publish, queue }, part);
}

/** The queue for the facts of the connection, of which no publish is under way. */
async function chooseQueue(
  { facts, eventQueues, makeBatchId, gate }: Publishing,
  { connection }: Publish,
): Promise<number> {
  await gate.whenOpen(SUSPENDED_MS);
  return eventQueues.of(connection, (queue, mark) => {
    const make = (): string => toAsciiJson(mark);
    return facts.put({
      queue,
      group: connection.connectionId,
      deduplicationId: makeBatchId(),
      bytes: MARK_BYTES,
      make,
    });
  });
}

/** More bytes than a mark has. */
const MARK_BYTES = 512;

/**
 * Sends a part. A part that the queue refuses for good is sent fact by fact, and a fact that it refuses without its
 * content.
 */
async function sendPart(dependencies: Publishing, publish: PublishTo, part: FactPart): Promise<void> {
  try {
    await sendBody(dependencies, publish, part);
  } catch (error) {
    if (judgeFailure(error) === 'passing') throw toNotStored(error);
    const [only] = part.facts;
    if (part.facts.length > 1 || only === undefined) {
      for (const fact of part.facts) await sendAlone(dependencies, publish, fact);
      return;
    }
    dependencies.logger.warn('the queue refused a fact', { factKind: only.kind, error });
    const rest = admit(dependencies, publish, replace(only, refusalOf(error), sizeOf(only)));
    // The fact is short and plain now: when the queue refuses it again, the fact is not the cause.
    for (const left of splitFacts(rest)) await sendBody(dependencies, publish, left).catch(throwNotStored);
  }
}

async function sendAlone(dependencies: Publishing, publish: PublishTo, fact: Fact): Promise<void> {
  for (const part of splitFacts([fact])) await sendPart(dependencies, publish, part);
}

/** The fact that may leave, if one may; a refusal is counted. */
function admit(
  { logger, metrics }: PublisherDependencies,
  { connection: { tenantId, connectionId } }: Publish,
  safe: SafeFact,
): readonly Fact[] {
  if (safe.outcome === 'safe') return [safe.fact];
  const { outcome, refusal, bytes } = safe;
  metrics.count('FactsRefused', { reason: refusal });
  logger.error('a fact cannot be published as it is', { tenantId, connectionId, outcome, reason: refusal, bytes });
  return outcome === 'replaced' ? [safe.fact] : [];
}

async function sendBody(
  { facts, makeBatchId }: Publishing,
  { connection: { tenantId, connectionId, shard, token }, correlationId, queue }: PublishTo,
  part: FactPart,
): Promise<void> {
  const batchId = makeBatchId();
  const make = (): string => {
    const events = [...part.facts];
    const batch: FactBatch = { version: 1, tenantId, connectionId, shard, token, correlationId, batchId, events };
    return toAsciiJson(batch);
  };
  await facts.put({ queue, group: connectionId, deduplicationId: batchId, bytes: part.bytes, make });
}

function throwNotStored(error: unknown): never {
  throw toNotStored(error);
}
