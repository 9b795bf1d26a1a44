import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { isLogEnded } from '../../shared/event/eventLanes.ts';
import type { FactInHand, FactSource } from '../../shared/event/recording/factInHand.ts';
import { recordTogether } from '../../shared/event/recording/recordTogether.ts';
import type { ReadDependencies } from '../../shared/event/recording/readRows.ts';
import type { FactsOfConnection, RecordOutcome } from '../../shared/event/recording/unitInHand.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import type { ChatNotes } from './chatNotes.ts';
import { EndpointLists } from './endpointLists.ts';
import { fanOut, type RecordedPortion } from './fanOut.ts';
import { askForFilesOf } from './fileJobs.ts';
import type { PeopleNotes } from './peopleNotes.ts';
import { toGroups, toResponse, type Portion, type RecordGroup, type RecordInHand } from './recordsInHand.ts';
import { readOrRefuse, refuseFact, setAside, type RawFact, type RefusalDependencies } from './refusedFacts.ts';

export interface IngestDependencies extends RefusalDependencies, ReadDependencies {
  readonly endpoints: Pick<EndpointStore, 'list'>;
  readonly people: Pick<PeopleNotes, 'note'>;
  readonly chats: Pick<ChatNotes, 'note'>;
}

interface IngestParts extends IngestDependencies {
  readonly lists: EndpointLists;
}

/**
 * Ingest turns the events queue into messages, events and deliveries: all records of an invocation together, with a few
 * calls for all of them (`recordTogether`). A record is done when its facts are recorded and their deliveries and the files to be fetched are in the
 * queues; until then SQS brings it again, and the same events are found again. Only a failure that passes is waited for: a
 * queue with groups stands still behind a record that comes again, and a record that is refused for good never gets
 * better. Such a record goes to the dead letters at once, and its group goes on.
 */
export function makeIngestHandler(dependencies: IngestDependencies): (event: SQSEvent) => Promise<SQSBatchResponse> {
  const parts = { ...dependencies, lists: new EndpointLists(dependencies.endpoints, dependencies.clock) };
  return async ({ Records }) => {
    const groups = toGroups(Records);
    while (groups.some(({ next }) => next !== undefined)) await handleNext(parts, groups);
    return toResponse(groups);
  };
}

/** Handles the next records of each group. Each group gets on, or stops. */
async function handleNext(parts: IngestParts, groups: readonly RecordGroup[]): Promise<void> {
  await Promise.all(groups.map((group) => giveUpWrong(parts, group)));
  const found = groups.map((group) => group.portion()).filter(({ records }) => records.length > 0);
  const portions = await withoutEnded(parts, found);
  // A connection is in one group. Where it is in two nevertheless, they take turns.
  const distinct = [...new Map(portions.toReversed().map((one) => [connectionOf(one), one])).values()].toReversed();
  const read = await Promise.all(distinct.map((portion) => readPortion(parts, portion)));
  const toRecord = read.filter((one) => one !== undefined);
  const outcomes = await recordTogether(
    { ...parts, refuse: (fact, refusal) => refuseFact(parts, fact, refusal) },
    toRecord.map(({ unit }) => unit),
  );
  const recorded: RecordedPortion[] = [];
  for (const [index, { portion }] of toRecord.entries()) {
    const outcome = outcomes[index];
    if (outcome?.outcome === 'recorded') recorded.push({ portion, ...outcome });
    else await endFailed(parts, portion, outcome);
  }
  await tell(parts, recorded);
}

/** Drops what is told of tenants that are deleted: there is nobody to tell, and their rows are not to come back. */
async function withoutEnded(parts: IngestParts, portions: readonly Portion[]): Promise<readonly Portion[]> {
  const byTenant = Map.groupBy(portions, (portion) => sourceOf(portion).tenantId);
  const kept = [...byTenant].map(async ([tenantId, ofTenant]) => {
    // Where the directory of the log cannot be read, whoever records the facts finds that out.
    if (!(await isLogEnded(parts, tenantId).catch(() => false))) return ofTenant;
    for (const { group, records } of ofTenant) group.done(records.length);
    parts.logger.info('facts of a deleted tenant are dropped', { tenantId, count: ofTenant.length });
    return [];
  });
  return (await Promise.all(kept)).flat();
}

async function tell(parts: IngestParts, recorded: readonly RecordedPortion[]): Promise<void> {
  const failures = await askForFilesOf(parts, recorded.map(toSource)).then(
    () => fanOut(parts, parts.lists, recorded),
    (error: unknown) => new Map(recorded.map((one) => [one, error])),
  );
  const noted = recorded.map(({ portion, ...rest }) => ({ source: sourceOf(portion), ...rest }));
  await Promise.all([parts.people.note(noted), parts.chats.note(noted)]);
  const nowMs = parts.clock.nowMs();
  for (const one of recorded) {
    const error = failures.get(one);
    if (error !== undefined) {
      await endFailed(parts, one.portion, { outcome: 'failed', error });
      continue;
    }
    one.portion.group.done(one.portion.records.length);
    // The difference is at least 0, because WhatsApp's clock and ours need not agree.
    for (const { fact } of one.facts) parts.metrics.measure('EventLag', Math.max(0, nowMs - fact.atMs), {});
    for (const { eventId, type, correlationId } of one.events) {
      loggerOf(parts, one.portion).debug('event recorded', { eventId, eventType: type, correlationId });
    }
  }
}

const toSource = ({ portion, events, facts }: RecordedPortion) => ({
  tenantId: sourceOf(portion).tenantId,
  events,
  facts,
});

interface ReadPortion {
  readonly portion: Portion;
  readonly unit: FactsOfConnection;
}

/** Reads the facts of some records, each judged by itself; undefined when one that is none could not be set aside. */
async function readPortion(parts: IngestParts, portion: Portion): Promise<ReadPortion | undefined> {
  try {
    const facts: FactInHand[] = [];
    for (const one of portion.records.flatMap(rawFactsOf)) {
      const fact = await readOrRefuse(parts, one);
      if (fact !== undefined) facts.push(fact);
    }
    const { tenantId, connectionId } = sourceOf(portion);
    return { portion, unit: { tenantId, connectionId, facts } };
  } catch (error) {
    await endFailed(parts, portion, { outcome: 'failed', error });
    return undefined;
  }
}

function rawFactsOf({ read, record }: RecordInHand): readonly RawFact[] {
  if (!('batch' in read)) return [];
  const { events, ...source } = read.batch;
  return events.map((raw) => ({ source, raw, recordId: record.messageId }));
}

function sourceOf({ records: [first] }: Portion): FactSource {
  if (first === undefined || !('batch' in first.read)) throw new Error('a portion begins with a batch');
  return first.read.batch;
}

const connectionOf = (portion: Portion): string => sourceOf(portion).connectionId;

function loggerOf({ logger }: IngestParts, portion: Portion): Logger {
  const { tenantId, connectionId, correlationId, shard } = sourceOf(portion);
  return logger.child({ tenantId, connectionId, correlationId, shard });
}

/** What becomes of records that could not be recorded: they come again, or go to the dead letters. */
async function endFailed(
  parts: IngestParts,
  portion: Portion,
  outcome: Exclude<RecordOutcome, { outcome: 'recorded' }> | undefined,
): Promise<void> {
  const { group, records } = portion;
  const error = outcome?.error;
  const receiveCount = Math.max(...records.map(receiveCountOf));
  const logger = loggerOf(parts, portion);
  if (judgeFailure(error) === 'passing' || records.length > 1) {
    logger.warn('facts could not be recorded and come again', { error, receiveCount });
    group.failed(records.length);
    return;
  }
  logger.error('facts were refused and go to the dead letters', { error, receiveCount });
  await giveUp(parts, group, logger, 'refused');
}

/** Moves the next records of a group to the dead letters, as long as they are no batches. */
async function giveUpWrong(parts: IngestParts, group: RecordGroup): Promise<void> {
  for (let next = group.next; next !== undefined && 'wrongFields' in next.read; next = group.next) {
    const { wrongFields: attributes } = next.read;
    const receiveCount = receiveCountOf(next);
    parts.logger.error('facts are not valid and go to the dead letters', { attributes, receiveCount });
    await giveUp(parts, group, parts.logger, 'unreadable');
  }
}

/**
 * Moves the next record of a group to the dead letters. When they do not accept it either, it stays in the queue, which
 * moves it in the end.
 */
async function giveUp(
  parts: IngestParts,
  group: RecordGroup,
  logger: Logger,
  reason: 'unreadable' | 'refused',
): Promise<void> {
  const record = group.next?.record;
  if (record === undefined) return;
  try {
    const { body, messageId: recordId, attributes } = record;
    await setAside(parts, { body, recordId, group: attributes.MessageGroupId ?? recordId, reason });
    group.done(1);
  } catch (error) {
    logger.warn('the dead letters did not take a record', { error });
    group.failed(1);
  }
}

function receiveCountOf({ record }: RecordInHand): number {
  return Number(record.attributes.ApproximateReceiveCount);
}
