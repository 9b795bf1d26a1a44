import { createHash } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { Refusal } from '../../shared/event/facts/factRow.ts';
import { toReasonAttribute, type DeadReason } from '../../shared/deadLetters/deadLetter.ts';
import { readFact, remainsOf } from '../../shared/event/readFact.ts';
import type { FactInHand, FactSource } from '../../shared/event/recording/factInHand.ts';
import { toAsciiBody, toAsciiJson } from '../../shared/platform/asciiJson.ts';
import { deadLetterNameOf, eventQueueName } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { DeliveryQueue } from '../../shared/webhook/delivery.ts';

/**
 * Facts that are wrong, or that the store refuses for good: each is recorded without the fields that its sender wrote; if
 * nothing of it can be recorded, it alone goes to the dead letters. Either way its neighbours and all later facts go on.
 * It is judged anew each time its batch comes again, with the same end: what was recorded in its place is then found, and
 * the same dead letter is put away once.
 */
export interface RefusalDependencies extends Pick<Surroundings, 'logger' | 'metrics'>, DeliveryQueue {}

/** Reads a fact as it came; undefined when it was set aside. Throws when the dead letters do not accept it. */
export async function readOrRefuse(
  dependencies: RefusalDependencies,
  source: FactSource,
  raw: unknown,
): Promise<FactInHand | undefined> {
  const read = readFact(raw);
  if (read.outcome === 'fact') return { source, fact: read.fact, raw };
  const { refusal, factKind, wrongFields } = read;
  return replace(dependencies, { source, raw }, { refusal, factKind, attributes: wrongFields });
}

/** Finds what is recorded instead of a fact that was refused; undefined when it was set aside. */
export async function refuseFact(
  dependencies: RefusalDependencies,
  { source, fact, raw, isRest }: FactInHand,
  refusal: Refusal,
): Promise<FactInHand | undefined> {
  if (isRest !== true) return replace(dependencies, { source, raw }, { refusal, factKind: fact.kind });
  await setAside(dependencies, toAsciiJson({ ...source, events: [raw] }), source.connectionId, refusal);
  logRefused(dependencies, { source, raw }, { refusal, factKind: fact.kind, outcome: 'set_aside' });
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
  { source, raw }: Pick<FactInHand, 'source' | 'raw'>,
  refused: Refused,
): Promise<FactInHand | undefined> {
  const rest = remainsOf(raw, refused.refusal, toAsciiJson(raw).length);
  if (rest === undefined) {
    await setAside(dependencies, toAsciiJson({ ...source, events: [raw] }), source.connectionId, refused.refusal);
  }
  dependencies.metrics.count('FactsRefused', { reason: refused.refusal });
  logRefused(dependencies, { source, raw }, { ...refused, outcome: rest === undefined ? 'set_aside' : 'replaced' });
  return rest === undefined ? undefined : { source, fact: rest, raw, isRest: true };
}

function logRefused(
  { logger }: RefusalDependencies,
  { source, raw }: Pick<FactInHand, 'source' | 'raw'>,
  { refusal, ...more }: Refused & { readonly outcome: 'set_aside' | 'replaced' },
): void {
  const { tenantId, connectionId, correlationId, shard } = source;
  const bytes = toAsciiJson(raw).length;
  const fields = { tenantId, connectionId, correlationId, shard, reason: refusal, bytes, ...more };
  logger.error('a fact was refused', fields);
}

/** Puts a body into the dead letters of events, where it waits for a person. Throws when they do not accept it. */
export async function setAside(
  { queue, queueUrlBase, stage }: DeliveryQueue,
  body: string,
  group: string,
  reason: DeadReason,
): Promise<void> {
  await queue.send(
    new SendMessageCommand({
      QueueUrl: `${queueUrlBase}${deadLetterNameOf(stage, eventQueueName(stage))}`,
      MessageBody: toAsciiBody(body),
      MessageAttributes: toReasonAttribute(reason),
      MessageGroupId: group,
      // The id comes from the content, so that the same body again is the same letter.
      MessageDeduplicationId: createHash('sha256').update(group).update(body).digest('hex'),
    }),
  );
}
