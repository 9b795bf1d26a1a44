import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { FactBatch } from '../../shared/event/factBatch.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { recordFacts } from '../shared/event/recordFacts.ts';

/** Writes on the rows of messages what a batch says of their sending, as ingest does; the other facts are left. */
export async function recordResultsIn(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  batch: FactBatch,
): Promise<void> {
  const events = batch.events.filter(({ kind }) => kind === 'send_result');
  if (events.length === 0) return;
  await recordFacts({ table, stage, clock: systemClock, random: systemRandom }, { ...batch, events });
}
