import type { EventId, TenantId } from '../../kernel/id.ts';
import type { EventLogDependencies } from '../eventLog.ts';
import { findTexts, placesOf, voidPlaces } from '../eventPages.ts';
import { parseEventId } from '../../kernel/id.ts';
import { marksOf, type FactInHand } from './factInHand.ts';
import type { RowsRead } from './rowInHand.ts';
import { parseMark } from './toldMark.ts';

/**
 * Finds out what became of the events that earlier runs of the same batches were to write: a page that is in the log has
 * told them; one that is missing is declared void, so that whoever was to write it can do so no more. Returns the texts
 * of the told ones, and undefined for the others. In the usual case there are none, and it costs nothing.
 */
export async function settleMarks(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  read: RowsRead,
  facts: readonly FactInHand[],
): Promise<ReadonlyMap<EventId, string | undefined>> {
  const own = new Set(
    facts.flatMap((fact) =>
      marksOf(fact)
        .map(({ key, attribute }) => parseMark(read.find(key)?.[attribute]))
        .filter((mark) => mark?.batchId === fact.source.batchId)
        .map((mark) => mark?.eventId as EventId),
    ),
  );
  const settled = new Map<EventId, string | undefined>();
  // One after the other, oldest first: a writer that is still at work writes its pages in this order, and stops at the
  // first one that is void.
  const pages = Map.groupBy([...own].toSorted(), (eventId) => eventId.slice(0, -PLACE_DIGITS));
  for (const [, eventIds] of pages) {
    const texts = await settlePage(dependencies, tenantId, eventIds[0] as EventId);
    for (const eventId of eventIds) settled.set(eventId, texts[parseEventId(eventId)?.index ?? -1]);
  }
  return settled;
}

/** The digits of an event id that say where on its page the event stands. */
const PLACE_DIGITS = 2;

/** The events of a page as texts; none if it is void, or has just been made so. */
async function settlePage(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  eventId: EventId,
): Promise<readonly string[]> {
  const texts = await findTexts(dependencies, tenantId, eventId);
  const places = placesOf(eventId, dependencies.clock.nowMs());
  if (texts !== undefined || places === undefined) return texts ?? [];
  if ((await voidPlaces(dependencies, tenantId, places)) === 'void') return [];
  return (await findTexts(dependencies, tenantId, eventId)) ?? [];
}
