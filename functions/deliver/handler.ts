import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { failureOf } from '../../shared/webhook/attempt.ts';
import { PatientPlaces } from '../../shared/webhook/patientPlaces.ts';
import { RememberedEndpoints } from '../../shared/webhook/rememberedEndpoints.ts';
import { AttemptNotes } from './attemptNotes.ts';
import { BatchPatience } from './batchPatience.ts';
import { attemptDelivery, type AttemptDependencies, type Attempted } from './attemptDelivery.ts';
import { readRecord, type DeliveryInHand } from './deliveryInHand.ts';
import { deliverChain } from './deliverChain.ts';
import { BY_SCHEDULE, postpone } from './postpone.ts';
import { runGroups } from './runGroups.ts';

export interface DeliverDependencies extends Omit<AttemptDependencies, 'known'> {
  /** Left out where attempts are to be kept before an invocation ends. */
  readonly notes?: AttemptNotes;
}

interface DeliverParts extends AttemptDependencies {
  readonly notes: AttemptNotes;
}

/**
 * Deliver makes one attempt per record. A delivery whose attempt failed stays in the queue, hidden for as long as the
 * schedule says, or is put aside where that is long (`postpone`); after the last attempt it goes to the dead letters.
 *
 * An attempt that succeeds costs no call of its own: the delivery carries its event, the endpoint is remembered, and the
 * attempts to one endpoint are kept as one item when the last of them has ended (`attemptNotes`).
 *
 * - The function dies here: the message of each record that is not done comes again, and its event is posted again under
 *   the same id.
 * - A receiver never answers: its post ends at its deadline, or after a second in a batch that may not wait, and then the
 *   delivery goes on in the queue of slow ones. The posts of a batch run side by side, so no other one waits for it, and
 *   those that are done leave the queue before it (`runGroups`).
 * - A delivery is in two hands: both post, and the receiver recognises the event by its id.
 */
export function makeDeliverHandler(given: DeliverDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  const dependencies = {
    ...given,
    known: new RememberedEndpoints(given.endpoints, given.clock),
    notes: given.notes ?? new AttemptNotes(given, true),
  };
  const places = new PatientPlaces(dependencies);
  return async ({ Records }) => {
    const patience = new BatchPatience(places, dependencies.logger);
    const inHand = Records.map((record) => readRecord(dependencies, record, patience)).filter(
      (one) => one !== undefined,
    );
    const groups = [...Map.groupBy(inHand, ({ delivery }) => delivery.endpointId).values()];
    const done = await runGroups(dependencies, groups, (group) => deliverGroup(dependencies, group));
    await patience.end();
    const failed = Records.filter((record) => !done.has(record));
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** Works the deliveries of one endpoint side by side and keeps their attempts. Returns the records that are done. */
async function deliverGroup(
  dependencies: DeliverParts,
  group: readonly DeliveryInHand[],
): Promise<readonly SQSRecord[]> {
  const ends = await Promise.all(group.map((one) => deliverOne(dependencies, one)));
  const attempts = ends.flatMap(({ before = [], attempt }) => [...before, ...(attempt === undefined ? [] : [attempt])]);
  const [first] = group;
  // A failure here must not repeat a POST that the receiver has accepted.
  if (first !== undefined) await dependencies.notes.note(first.delivery.endpointId, attempts);
  return group.filter((_one, index) => ends[index]?.end === 'done').map(({ record }) => record);
}

/** Makes one attempt and hides the delivery where there is to be another. Never rejects. */
async function deliverOne(dependencies: AttemptDependencies, one: DeliveryInHand): Promise<Attempted> {
  const { logger } = dependencies;
  const attempt = one.delivery.chain === undefined ? attemptDelivery : deliverChain;
  const attempted = await attempt(dependencies, one).catch((error: unknown): Attempted => {
    logger.warn('delivery could not be tried and comes again', {
      ...one.fields,
      error,
      receiveCount: one.receiveCount,
    });
    return { end: BY_SCHEDULE };
  });
  if (attempted.end === 'done') return attempted;
  const stays = await postpone(dependencies, one, attempted.end, failureOf(attempted.attempt)).catch(
    (error: unknown) => {
      logger.warn('the delivery comes again when its visibility timeout is over', { ...one.fields, error });
      return 'stays' as const;
    },
  );
  return stays === 'leaves' ? { ...attempted, end: 'done' } : attempted;
}
