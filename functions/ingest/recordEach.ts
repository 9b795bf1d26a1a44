import { createHash } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { BatchEnvelope } from '../../shared/event/factBatch.ts';
import type { Fact } from '../../shared/event/facts/factRows.ts';
import { recordFact, type FactDependencies } from '../../shared/event/recordFacts.ts';
import type { RecordedEvent } from '../../shared/event/recordOnce.ts';
import type { Refusal } from '../../shared/event/facts/factRow.ts';
import { readFact, remainsOf } from '../../shared/event/readFact.ts';
import { toAsciiBody, toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { judgeFailure, refusalOf } from '../../shared/platform/judgeFailure.ts';
import { deadLetterNameOf, eventQueueName } from '../../shared/platform/queues.ts';
import type { DeliveryQueue } from '../../shared/webhook/delivery.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface RecordEachDependencies
  extends Pick<Surroundings, 'logger' | 'metrics'>, FactDependencies, DeliveryQueue {}

export interface RecordedBatch {
  /** The events that are to be delivered, in order and each once. */
  readonly events: readonly RecordedEvent[];
  /** The times at which the recorded facts happened, in milliseconds since 1970. */
  readonly timesMs: readonly number[];
}

/**
 * Records the facts of a batch in their order, each judged by itself. A fact that is wrong, or that the store refuses
 * for good, is recorded without the fields that its sender wrote; if nothing of it can be recorded, it alone goes to
 * the dead letters. Either way its neighbours and all later facts go on. Throws at the first failure that passes: then
 * all of the batch comes again, in order.
 */
export async function recordEach(dependencies: RecordEachDependencies, batch: BatchEnvelope): Promise<RecordedBatch> {
  const recorded = new Map<string, RecordedEvent>();
  const timesMs: number[] = [];
  for (const raw of batch.events) {
    const { fact, event } = (await recordAny(dependencies, batch, raw)) ?? {};
    if (fact !== undefined) timesMs.push(fact.atMs);
    if (event !== undefined) recorded.set(event.eventId, event);
  }
  return { events: [...recorded.values()], timesMs };
}

interface RecordedOne {
  readonly fact: Fact;
  readonly event: RecordedEvent | undefined;
}

/** Records a fact, whole or in part; undefined when it was set aside. */
async function recordAny(
  dependencies: RecordEachDependencies,
  batch: BatchEnvelope,
  raw: unknown,
): Promise<RecordedOne | undefined> {
  const read = readFact(raw);
  const attempt = read.outcome === 'fact' ? await recordOne(dependencies, batch, read.fact) : read.refusal;
  if (typeof attempt === 'object') return attempt;
  const alone = toAsciiJson({ ...batch, events: [raw] });
  const bytes = toAsciiJson(raw).length;
  const reason = attempt;
  const left = remainsOf(raw, reason, bytes);
  const rest = left === undefined ? reason : await recordOne(dependencies, batch, left);
  const isRecorded = typeof rest === 'object';
  if (!isRecorded) await setAside(dependencies, alone, batch.connectionId);
  dependencies.metrics.count('FactsRefused', { reason });
  dependencies.logger.error('a fact was refused', {
    connectionId: batch.connectionId,
    reason,
    bytes,
    outcome: isRecorded ? 'replaced' : 'set_aside',
    ...(read.outcome === 'fact'
      ? { factKind: read.fact.kind }
      : { factKind: read.factKind, attributes: read.wrongFields }),
  });
  return isRecorded ? rest : undefined;
}

/** Records one fact. Throws a failure that passes; returns the reason of one that does not. */
async function recordOne(
  dependencies: RecordEachDependencies,
  batch: BatchEnvelope,
  fact: Fact,
): Promise<RecordedOne | Refusal> {
  try {
    return { fact, event: await recordFact(dependencies, batch, fact) };
  } catch (error) {
    if (judgeFailure(error) === 'passing') throw error;
    return refusalOf(error);
  }
}

/** Puts a body into the dead letters of events, where it waits for a person. Throws when they do not accept it. */
export async function setAside(
  { queue, queueUrlBase, stage }: DeliveryQueue,
  body: string,
  group: string,
): Promise<void> {
  await queue.send(
    new SendMessageCommand({
      QueueUrl: `${queueUrlBase}${deadLetterNameOf(stage, eventQueueName(stage))}`,
      MessageBody: toAsciiBody(body),
      MessageGroupId: group,
      // The id comes from the content, so that the same body again is the same letter.
      MessageDeduplicationId: createHash('sha256').update(group).update(body).digest('hex'),
    }),
  );
}
