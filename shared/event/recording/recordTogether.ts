import { AppError } from '../../kernel/appError.ts';
import { backoffMs } from '../../kernel/backoff.ts';
import { judgeFailure } from '../../platform/judgeFailure.ts';
import { laneOf } from '../eventLanes.ts';
import type { Lane } from '../eventLog.ts';
import type { ConnectionId, TenantId } from '../../kernel/id.ts';
import { commitInLane, type UnitPlan } from './commitInLane.ts';
import { splitAtNames } from './namedMessages.ts';
import { planFacts } from './planFacts.ts';
import { asLogged } from './loggedEvent.ts';
import { readRows } from './readRows.ts';
import type { RowsRead } from './rowInHand.ts';
import { settleMarks } from './settleMarks.ts';
import {
  withoutRefused,
  type FactsOfConnection,
  type RecordDependencies,
  type RecordOutcome,
  type RunOutcome,
  type Unit,
} from './unitInHand.ts';

/**
 * Records the facts of many connections together. A fact becomes at most one event, and the events of a connection stand
 * in the log in the order of its facts. There are no transactions between rows and log; this holds by the order of the
 * writes and by the condition of each:
 *
 * 1. Read the rows that the facts are about (`readRows`), and decide (`planFacts`).
 * 2. Take places in the log for the new events.
 * 3. Write the rows, each on the condition that it is as far as it was read. A row carries a *mark* for each event that is
 *    told because of it: the event's place, and the batch of its fact.
 * 4. Write the pages, in their order, only if all rows of step 3 are written. **The page is the commit**: an event is told
 *    if and only if its page is in the log.
 *
 * Whoever finds a mark of its own batch looks at the page: if it is there, the event is told, and only its deliveries may
 * be missing. If it is not, the place is made void, on the condition that nothing is there, and the event gets a new place
 * with a new mark, on the condition that the old one is still there (`settleMarks`).
 *
 * - *The process dies*: before step 3, nothing has happened but that a place is missing, which readers settle. In step 3
 *   or before step 4, the batch comes again, finds its marks on some rows and no page, and does it all under new places.
 *   After step 4, it finds the page.
 * - *An answer never comes*: the call ends with its deadline and counts as failed. Either it took effect or it did not, and
 *   the next run finds out as after a death.
 * - *It happens twice*: the second run finds the marks and the page.
 * - *Two do it at once*, as when an invocation sleeps past its time and wakes (a zombie): of two writes of one row one is
 *   refused, and its writer reads anew. A page is written by the one that took its number alone, after it has written all
 *   marks that name the number. Such a mark is replaced only after the number was made void. So of one event at most one
 *   page is ever written.
 * - *Order*: the queue gives out the next batch of a connection when the one before is done, which is when its pages are
 *   written; so its numbers are larger. Pages of one run are written in their order and no further than the first that
 *   is refused; whoever makes places void begins with the first as well. A zombie cannot tell late what others have
 *   told: its numbers are void, or its marks were never written.
 */
/** How often a unit is begun anew because others were in its way. */
const TRIES = 6;
const RETRY_DELAY = { firstMs: 20, capMs: 500 } as const;

/**
 * Records the facts of some connections, each of which is named once. Facts that name each other are recorded one after the
 * other (`splitAtNames`): if a later part fails, the batch comes again and finds the earlier ones told. Never rejects.
 */
export async function recordTogether(
  dependencies: RecordDependencies,
  given: readonly FactsOfConnection[],
): Promise<readonly RecordOutcome[]> {
  const partsOf = given.map(({ facts }) => splitAtNames(facts));
  const outcomes: RecordOutcome[] = given.map(() => ({ outcome: 'recorded', events: [], facts: [] }));
  for (let round = 0; ; round += 1) {
    const next = given.flatMap((unit, index) => {
      const facts = partsOf[index]?.[round];
      return facts === undefined || outcomes[index]?.outcome === 'failed' ? [] : [{ index, unit: { ...unit, facts } }];
    });
    if (next.length === 0) return outcomes;
    const recorded = await recordParts(
      dependencies,
      next.map(({ unit }) => unit),
    );
    for (const [place, { index }] of next.entries()) {
      outcomes[index] = together(outcomes[index], recorded[place]);
    }
  }
}

function together(before: RecordOutcome | undefined, next: RecordOutcome | undefined): RecordOutcome {
  if (before?.outcome !== 'recorded' || next === undefined) return before ?? NOTHING;
  if (next.outcome === 'failed') return next;
  return { outcome: 'recorded', events: [...before.events, ...next.events], facts: [...before.facts, ...next.facts] };
}
const NOTHING: RecordOutcome = { outcome: 'recorded', events: [], facts: [] };

/**
 * The first run is for all together. Who has to go on after it does so alone: what is wrong with one connection then costs
 * the others nothing more.
 */
async function recordParts(
  dependencies: RecordDependencies,
  given: readonly FactsOfConnection[],
): Promise<readonly RecordOutcome[]> {
  const units = given.map((unit) => ({ ...unit, eventsPerPage: Infinity }));
  const first = await run(dependencies, units, 'together');
  return Promise.all(first.map((outcome) => goOn(dependencies, outcome)));
}

async function goOn(dependencies: RecordDependencies, first: RunOutcome): Promise<RecordOutcome> {
  let outcome: RunOutcome | undefined = first;
  for (let attempt = 1; outcome?.outcome === 'again';) {
    if (attempt === TRIES) break;
    // A run that has found out which fact is wrong has come further; there are as many of those as facts at most.
    if (outcome.isFurther !== true) {
      await dependencies.clock.sleep(backoffMs(RETRY_DELAY, attempt, dependencies.random.unit()));
      attempt += 1;
    }
    [outcome] = await run(dependencies, [outcome.unit], 'alone');
  }
  if (outcome !== undefined && outcome.outcome !== 'again') return outcome;
  return { outcome: 'failed', error: new AppError('store_unavailable', { detail: 'others write the same rows' }) };
}

async function run(
  dependencies: RecordDependencies,
  units: readonly Unit[],
  how: 'together' | 'alone',
): Promise<readonly RunOutcome[]> {
  let read: RowsRead;
  try {
    read = await readRows(
      dependencies,
      units.flatMap(({ facts }) => facts),
    );
  } catch (error) {
    const isOneToBlame = how === 'together' && judgeFailure(error) === 'permanent';
    return units.map((unit) => (isOneToBlame ? { outcome: 'again', unit } : { outcome: 'failed', error }));
  }
  const lanesOf = new Map(units.map(({ tenantId }) => [tenantId, lanesOfTenant(dependencies, tenantId)]));
  const planned = await Promise.all(
    units.map((unit) =>
      planUnit(dependencies, unit, read, lanesOf.get(unit.tenantId) ?? lanesOfTenant(dependencies, unit.tenantId)),
    ),
  );
  const outcomes = new Map<Unit, RunOutcome>();
  const plans: UnitPlan[] = [];
  for (const one of planned) {
    if ('outcome' in one) outcomes.set(one.of, one.outcome);
    else plans.push(one);
  }
  const lanes = [
    ...Map.groupBy(plans, ({ unit, lane }) => `${unit.tenantId} ${lane.generation} ${lane.lane}`).values(),
  ];
  const committed = await Promise.all(lanes.map((inLane) => commitInLane(dependencies, inLane, how)));
  for (const [unit, outcome] of committed.flatMap((one) => [...one])) outcomes.set(unit, outcome);
  return units.map((unit) => outcomes.get(unit) ?? { outcome: 'again', unit });
}

/** Finds lanes of a tenant's log one after the other: the first look reads what the others then know. */
function lanesOfTenant(
  dependencies: RecordDependencies,
  tenantId: TenantId,
): (connectionId: ConnectionId) => Promise<Lane> {
  let last: Promise<unknown> = Promise.resolve();
  return (connectionId) => {
    const lane = last.then(() => laneOf(dependencies, tenantId, connectionId));
    last = lane.catch(() => undefined);
    return lane;
  };
}

/** Decides what is to be written for a unit; its outcome, where nothing is. */
async function planUnit(
  dependencies: RecordDependencies,
  unit: Unit,
  read: RowsRead,
  laneFor: (connectionId: ConnectionId) => Promise<Lane>,
): Promise<UnitPlan | { readonly of: Unit; readonly outcome: RunOutcome }> {
  const { tenantId, connectionId, facts } = unit;
  try {
    const settled = await settleMarks(dependencies, tenantId, read, facts);
    const plan = planFacts(read, facts, settled, dependencies.clock.nowMs());
    if (plan.refused.length > 0) {
      const refused = new Map(plan.refused.map(({ fact, refusal }) => [fact, refusal]));
      return { of: unit, outcome: await withoutRefused(dependencies, unit, refused) };
    }
    if (plan.rows.length === 0 && plan.beside.length === 0) {
      const events = plan.events.flatMap((event) => ('text' in event ? [asLogged(event)] : []));
      return { of: unit, outcome: { outcome: 'recorded', events, facts } };
    }
    return { unit, plan, lane: await laneFor(connectionId) };
  } catch (error) {
    return { of: unit, outcome: { outcome: 'failed', error } };
  }
}
