import { judgeFailure } from '../../platform/judgeFailure.ts';
import { tableName } from '../../platform/tables.ts';
import type { Lane } from '../eventLog.ts';
import type { FactInHand } from './factInHand.ts';
import { inPages, PagesInHand, type FailedPage } from './pagesInHand.ts';
import type { FactsPlan } from './planFacts.ts';
import { asLogged, toLogged } from './loggedEvent.ts';
import type { NewEvent } from './rowInHand.ts';
import { toChangeWrite } from './changeWrite.ts';
import { refusedBy, withoutRefused, type RecordDependencies, type RunOutcome, type Unit } from './unitInHand.ts';
import { writeEach, writeTogether, type RowOutcome } from './writeRows.ts';

/** A unit with what is to be written for it, and the lane of its connection. */
export interface UnitPlan {
  readonly unit: Unit;
  readonly plan: FactsPlan;
  readonly lane: Lane;
}

/** The outcome of one write for a unit, with the facts because of which it is made. */
interface WriteOutcome {
  readonly facts: readonly FactInHand[];
  readonly outcome: RowOutcome;
}

/**
 * Writes what was decided for some connections of one lane: places, rows, pages. If a row of one of them was not written,
 * no page is, and all of them begin anew: a page in the log says that all of its rows are written. Never rejects.
 */
export async function commitInLane(
  dependencies: RecordDependencies,
  plans: readonly UnitPlan[],
  how: 'together' | 'alone',
): Promise<ReadonlyMap<Unit, RunOutcome>> {
  const [first] = plans;
  const every = (toOutcome: (unit: Unit) => RunOutcome): ReadonlyMap<Unit, RunOutcome> =>
    new Map(plans.map(({ unit }) => [unit, toOutcome(unit)]));
  if (first === undefined) return new Map();
  const most = Math.min(...plans.map(({ unit }) => unit.eventsPerPage));
  let pages: PagesInHand | 'sealed';
  try {
    pages = await PagesInHand.take(
      dependencies,
      first.unit.tenantId,
      first.lane,
      inPages(plans.flatMap(newEvents), most),
    );
  } catch (error) {
    return every(() => ({ outcome: 'failed', error }));
  }
  if (pages === 'sealed') return every((unit) => ({ outcome: 'again', unit }));
  const outcomes = await writeRowsOf(dependencies, plans, pages, how);
  const judged = await Promise.all(plans.map(({ unit }) => judgeRows(dependencies, unit, outcomes.get(unit) ?? [])));
  const isStale = pages.isStale(dependencies.clock.nowMs());
  if (isStale || judged.some((outcome) => outcome !== undefined)) {
    await pages.giveUp();
    return new Map(plans.map(({ unit }, index) => [unit, judged[index] ?? { outcome: 'again', unit }]));
  }
  const { told, failed } = await pages.write();
  const isTold = new Set(told);
  const ends = plans.map(async (one): Promise<[Unit, RunOutcome]> => [
    one.unit,
    newEvents(one).every((event) => isTold.has(event))
      ? recorded(one, pages)
      : await judgePage(dependencies, one, failed),
  ]);
  return new Map(await Promise.all(ends));
}

function newEvents({ plan }: UnitPlan): readonly NewEvent[] {
  return plan.events.filter((event) => 'draft' in event);
}

function recorded({ unit, plan }: UnitPlan, pages: PagesInHand): RunOutcome {
  const events = plan.events.map((event) => ('draft' in event ? toLogged(event, pages.idOf(event)) : asLogged(event)));
  return { outcome: 'recorded', events, facts: unit.facts };
}

/** Writes the rows of all units, and returns the outcomes for each. */
async function writeRowsOf(
  dependencies: RecordDependencies,
  plans: readonly UnitPlan[],
  pages: PagesInHand,
  how: 'together' | 'alone',
): Promise<ReadonlyMap<Unit, readonly WriteOutcome[]>> {
  const { stage, clock } = dependencies;
  const TableName = tableName(stage, 'core');
  const nowMs = clock.nowMs();
  const writes = plans.flatMap(({ unit, plan }) => [
    ...plan.rows.map((row) => ({ unit, facts: row.facts, write: row.toWrite(TableName, nowMs, pages.idOf) })),
    ...plan.items.map(({ fact, item }) => ({ unit, facts: [fact], write: { Put: { TableName, Item: { ...item } } } })),
    ...plan.beside.map((row) => ({ unit, facts: row.facts, write: row.toWrite(TableName, nowMs) })),
    ...plan.changes.map(({ fact, change }) => ({
      unit,
      facts: [fact],
      write: toChangeWrite(TableName, change),
      orGone: change.orGone === true,
    })),
  ]);
  const writeAll = how === 'together' ? writeTogether : writeEach;
  const outcomes = await writeAll(
    dependencies,
    writes.map(({ write }) => write),
  );
  return Map.groupBy(
    writes.map(({ unit, facts, ...write }, index) => {
      const outcome = outcomes[index] ?? 'left';
      const isDone = outcome === 'refused' && 'orGone' in write && write.orGone;
      return { unit, facts, outcome: isDone ? ('written' as const) : outcome };
    }),
    ({ unit }) => unit,
  );
}

/** What the outcomes of its rows mean for a unit; undefined if all are written. */
async function judgeRows(
  dependencies: RecordDependencies,
  unit: Unit,
  outcomes: readonly WriteOutcome[],
): Promise<RunOutcome | undefined> {
  if (outcomes.every(({ outcome }) => outcome === 'written')) return undefined;
  const errors = outcomes.flatMap(({ facts, outcome }) =>
    typeof outcome === 'object' ? [{ facts, error: outcome.error }] : [],
  );
  const passing = errors.find(({ error }) => judgeFailure(error) === 'passing');
  if (passing !== undefined) return { outcome: 'failed', error: passing.error };
  if (errors.length === 0) return { outcome: 'again', unit };
  const refused = new Map(errors.flatMap(({ facts, error }) => [...refusedBy(error, facts)]));
  return withoutRefused(dependencies, unit, refused);
}

/** What a page that was not written means for a unit with an event on it, or on one behind it. */
async function judgePage(
  dependencies: RecordDependencies,
  { unit, plan }: UnitPlan,
  failed: FailedPage | undefined,
): Promise<RunOutcome> {
  const isOn = failed?.events.some((event) => plan.events.includes(event)) === true;
  if (failed === undefined || failed.reason === 'occupied' || !isOn) return { outcome: 'again', unit };
  const { error } = failed.reason;
  if (judgeFailure(error) === 'passing') return { outcome: 'failed', error };
  // The event that is to blame is known when each has a page for itself.
  if (failed.events.length > 1) return { outcome: 'again', unit: { ...unit, eventsPerPage: 1 }, isFurther: true };
  return withoutRefused(
    dependencies,
    unit,
    refusedBy(
      error,
      failed.events.map(({ fact }) => fact),
    ),
  );
}
