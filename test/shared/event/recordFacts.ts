import type { FactBatch } from '../../../shared/event/factBatch.ts';
import { readFact } from '../../../shared/event/readFact.ts';
import type { FactInHand } from '../../../shared/event/recording/factInHand.ts';
import type { LoggedEvent } from '../../../shared/event/recording/loggedEvent.ts';
import { recordTogether } from '../../../shared/event/recording/recordTogether.ts';
import type { ReadDependencies } from '../../../shared/event/recording/readRows.ts';

/** Records the facts of a batch as ingest does, alone. Throws what ingest would wait for. */
export async function recordFacts(dependencies: ReadDependencies, batch: FactBatch): Promise<readonly LoggedEvent[]> {
  const refuse = (fact: FactInHand) => Promise.reject(new Error(`a fact was refused: ${fact.fact.kind}`));
  const [outcome] = await recordTogether({ ...dependencies, refuse }, [toUnit(batch)]);
  if (outcome?.outcome === 'recorded') return outcome.events;
  throw outcome?.error;
}

/** The facts of a batch, as ingest reads them. */
export function toUnit({ events, ...source }: FactBatch) {
  const { tenantId, connectionId } = source;
  const facts = events.map((raw): FactInHand => {
    const read = readFact(raw);
    if (read.outcome !== 'fact') throw new Error(`no fact: ${read.wrongFields.join(', ')}`);
    return { source, fact: read.fact, recordId: 'record-1', raw };
  });
  return { tenantId, connectionId, facts };
}
