import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { FactBatch } from '../../shared/event/factBatch.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { ConnectionId, CorrelationId } from '../../shared/kernel/id.ts';
import { toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';
import { isPassing } from '../../shared/platform/judgeStoreCall.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { CommitGate } from '../fleet/gate.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { FactPublisher } from './factPublisher.ts';
import { makeSafe, replace, sizeOf, type SafeFact } from './makeSafe.ts';
import { toNotStored } from './notStored.ts';

/**
 * The greatest number of bytes, as they are escaped, and of facts in one SQS message (docs/protocol.md, "Events"). A
 * single larger fact travels alone.
 */
const BATCH_BYTES = 64 * 1_024;
const BATCH_FACTS = 100;
/** The room in bytes for the fields around the facts. */
const ENVELOPE_BYTES = 512;
/**
 * The waits between tries. The breaker of the queue lets one call at a time through while SQS does not answer, so these
 * need not be spread.
 */
const RETRY = { firstMs: 200, capMs: 1_000 } as const;
/**
 * How long a publish waits while the worker is suspended, in milliseconds: about as long as WhatsApp keeps a socket
 * that does not answer.
 */
const SUSPENDED_MS = 40_000;

export interface PublisherDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
  /**
   * The gate, which is asked before each message leaves: it waits while this worker may not act, and throws when the
   * worker may never act again.
   */
  readonly gate: Pick<CommitGate, 'assertOpen' | 'whenOpen'>;
  /** Makes an id for each SQS message. It is the deduplication id, so a retried request counts once. */
  readonly makeBatchId: () => string;
  readonly deadlineMs?: number;
}

/**
 * Publishes facts to the events queue, in one FIFO group for each connection. Publishes of one connection wait for each
 * other, so the fact that was seen first is stored first; when one fails, its later parts are not sent.
 */
export function makeSqsFactPublisher(dependencies: PublisherDependencies): FactPublisher {
  const tails = new Map<ConnectionId, Promise<void>>();

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

/** Parts of at most 64 KB and 100 facts each, in order. */
export function splitFacts(facts: readonly Fact[]): readonly (readonly Fact[])[] {
  const parts: Fact[][] = [];
  let bytes = 0;
  for (const fact of facts) {
    const size = sizeOf(fact) + 1;
    const part = parts.at(-1);
    if (part === undefined || part.length >= BATCH_FACTS || bytes + size > BATCH_BYTES - ENVELOPE_BYTES) {
      parts.push([fact]);
      bytes = size;
    } else {
      part.push(fact);
      bytes += size;
    }
  }
  return parts;
}

interface Publish {
  readonly connection: OwnedConnection;
  readonly correlationId: CorrelationId;
}

/**
 * Sends facts after making them safe. Throws NotStoredError when the queue does not accept them: they are then not
 * known to be durable.
 */
async function send(dependencies: PublisherDependencies, publish: Publish, facts: readonly Fact[]): Promise<void> {
  const safe = facts.flatMap((fact) => admit(dependencies, publish, makeSafe(fact, dependencies.clock.nowMs())));
  for (const part of splitFacts(safe)) await sendPart(dependencies, publish, part);
}

/**
 * Sends a part. A part that the queue refuses for good is sent fact by fact, and a fact that it refuses without its
 * content.
 */
async function sendPart(dependencies: PublisherDependencies, publish: Publish, part: readonly Fact[]): Promise<void> {
  try {
    await sendBody(dependencies, publish, part);
  } catch (error) {
    if (judgeFailure(error) === 'passing') throw toNotStored(error);
    const [only] = part;
    if (part.length > 1 || only === undefined) {
      for (const fact of part) await sendPart(dependencies, publish, [fact]);
      return;
    }
    dependencies.logger.warn('the queue refused a fact', { factKind: only.kind, error });
    const rest = admit(dependencies, publish, replace(only, refusalOf(error), sizeOf(only)));
    // The fact is short and plain now: when the queue refuses it again, the fact is not the cause.
    for (const fact of rest) await sendBody(dependencies, publish, [fact]).catch(throwNotStored);
  }
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
  { queue, stage, queueUrlBase, gate, clock, makeBatchId, deadlineMs = deadlines.publish.ms }: PublisherDependencies,
  { connection: { tenantId, connectionId, shard, token }, correlationId }: Publish,
  part: readonly Fact[],
): Promise<void> {
  const batchId = makeBatchId();
  const batch: FactBatch = {
    version: 1,
    tenantId,
    connectionId,
    shard,
    token,
    correlationId,
    batchId,
    events: [...part],
  };
  // A suspended worker holds what it has decrypted: it goes on from here if its lease turns out to be alive.
  await gate.whenOpen(SUSPENDED_MS);
  gate.assertOpen();
  const command = new SendMessageCommand({
    QueueUrl: `${queueUrlBase}${eventQueueName(stage)}`,
    MessageBody: toAsciiJson(batch),
    MessageGroupId: connectionId,
    MessageDeduplicationId: batchId,
  });
  // A failure costs the socket, so the publish is tried to the deadline; under its deduplication id it counts once.
  const publish = async (abortSignal: AbortSignal): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await queue.send(command, { abortSignal });
        return;
      } catch (error) {
        if (abortSignal.aborted || !isPassing(error)) throw error;
      }
      await clock.sleep(backoffMs(RETRY, attempt, 1), abortSignal);
      gate.assertOpen();
    }
  };
  await withDeadline('publishing facts', deadlineMs, publish, clock);
}

function throwNotStored(error: unknown): never {
  throw toNotStored(error);
}
