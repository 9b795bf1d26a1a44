import { createHash } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { Refusal } from '../../shared/event/facts/factRow.ts';
import { toReasonAttribute, type DeadReason } from '../../shared/deadLetters/deadLetter.ts';
import { readFact, remainsOf } from '../../shared/event/readFact.ts';
import type { FactInHand } from '../../shared/event/recording/factInHand.ts';
import { toAsciiBody, toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { deadLetterNameOf, eventQueueName } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { DeliveryQueue } from '../../shared/webhook/delivery.ts';

/**
 * Facts that are wrong, or that the store refuses for good: each is recorded without the fields that its sender wrote; if
 * nothing of it can be recorded, it alone goes to the dead letters. Either way its neighbours and all later facts go on.
 * It is judged anew each time its batch comes again, with the same end: what was recorded in its place is then found, and
 * the same dead letter is put away once. One that a person sent again and that is refused again is another dead letter.
 */
export interface RefusalDependencies extends Pick<Surroundings, 'logger' | 'metrics'>, DeliveryQueue {}

/** A fact as it came, with the batch and the queue message that brought it. */
export type RawFact = Pick<FactInHand, 'source' | 'recordId' | 'raw'>;

/** Reads a fact as it came; undefined when it was set aside. Throws when the dead letters do not accept it. */
export async function readOrRefuse(dependencies: RefusalDependencies, one: RawFact): Promise<FactInHand | undefined> {
  const read = readFact(one.raw);
  if (read.outcome === 'fact') return { ...one, fact: read.fact };
  const { refusal, factKind, wrongFields } = read;
  return replace(dependencies, one, { refusal, factKind, attributes: wrongFields });
}

/** Finds what is recorded instead of a fact that was refused; undefined when it was set aside. */
export async function refuseFact(
  dependencies: RefusalDependencies,
  { fact, isRest, ...one }: FactInHand,
  refusal: Refusal,
): Promise<FactInHand | undefined> {
  if (isRest !== true) return replace(dependencies, one, { refusal, factKind: fact.kind });
  await setAside(dependencies, toPutAway(one, refusal));
  logRefused(dependencies, one, { refusal, factKind: fact.kind, outcome: 'set_aside' });
  return undefined;
}

interface Refused {
  readonly refusal: Refusal;
  readonly factKind: string | undefined;
  /** Paths of the fields that are wrong. */
  readonly attributes?: readonly string[];
}

async function replace(
  dependencies: RefusalDependencies,
  one: RawFact,
  refused: Refused,
): Promise<FactInHand | undefined> {
  const rest = remainsOf(one.raw, refused.refusal, toAsciiJson(one.raw).length);
  if (rest === undefined) await setAside(dependencies, toPutAway(one, refused.refusal));
  dependencies.metrics.count('FactsRefused', { reason: refused.refusal });
  logRefused(dependencies, one, { ...refused, outcome: rest === undefined ? 'set_aside' : 'replaced' });
  return rest === undefined ? undefined : { ...one, fact: rest, isRest: true };
}

function logRefused(
  { logger }: RefusalDependencies,
  { source, raw }: RawFact,
  { refusal, ...more }: Refused & { readonly outcome: 'set_aside' | 'replaced' },
): void {
  const { tenantId, connectionId, correlationId, shard } = source;
  const bytes = toAsciiJson(raw).length;
  const fields = { tenantId, connectionId, correlationId, shard, reason: refusal, bytes, ...more };
  logger.error('a fact was refused', fields);
}

/** What is put away: a body, with the id and the group of the queue message that brought it. */
interface PutAway {
  readonly body: string;
  readonly recordId: string;
  readonly group: string;
  readonly reason: DeadReason;
}

function toPutAway({ source, recordId, raw }: RawFact, reason: DeadReason): PutAway {
  return { body: toAsciiJson({ ...source, events: [raw] }), recordId, group: source.connectionId, reason };
}

/** Puts a body into the dead letters of events, where it waits for a person. Throws when they do not accept it. */
export async function setAside(
  { queue, queueUrlBase, stage }: DeliveryQueue,
  { body, recordId, group, reason }: PutAway,
): Promise<void> {
  await queue.send(
    new SendMessageCommand({
      QueueUrl: `${queueUrlBase}${deadLetterNameOf(stage, eventQueueName(stage))}`,
      MessageBody: toAsciiBody(body),
      MessageAttributes: toReasonAttribute(reason),
      MessageGroupId: group,
      // The same message again is the same letter. One that a person has sent again is another message, and the queue would drop its letter for
      // five minutes under the id of the first, which is deleted by then.
      MessageDeduplicationId: createHash('sha256').update(recordId).update(group).update(body).digest('hex'),
    }),
  );
}
