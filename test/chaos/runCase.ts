import { loadavg } from 'node:os';
import type { Budgets, ChaosCase } from './cases.ts';
import { judge, type Verdict } from './expectations.ts';
import type { FleetUnderTest } from './fleetUnderTest.ts';
import { measure, type Measures } from './measures.ts';
import { Observation } from './observation.ts';
import { Traffic } from './traffic.ts';
import { within } from './waiting.ts';

/** What one case came to. */
export interface Row {
  readonly case: string;
  readonly round: number;
  readonly tookMs: number;
  /** The load of the machine at the end: other work beside the case makes times longer. */
  readonly loadAverage: number;
  readonly measures: Measures;
  readonly verdicts: readonly Verdict[];
  /** What did not come to an end, or what the harness could not do. */
  readonly problems: readonly string[];
}

const FAULT_DEADLINE_MS = 900_000;
const OPEN_DEADLINE_MS = 420_000;
const QUIET_DEADLINE_MS = 180_000;
const ROUNDS_AT_MOST = 4;

/**
 * One case: begins with all connections open and traffic on them, injects the fault, waits until all are open again, gives
 * each connection one more turn, and waits until all is quiet. Throws only when the fleet is not fit to begin or to be read.
 */
export async function runCase(
  chaosCase: ChaosCase,
  run: {
    readonly fleet: FleetUnderTest;
    readonly round: number;
    readonly workers: number;
    readonly perSecond: number;
    readonly budgets: Budgets;
  },
): Promise<Row> {
  const { fleet, round, budgets } = run;
  const startedMs = performance.now();
  const problems: string[] = [];
  const attempt = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => void problems.push((error as Error).message));
  const label = `${chaosCase.name}-${round}`;
  const workers = chaosCase.workers ?? run.workers;
  await fleet.crew.restore(workers);
  const observation = await Observation.begin(fleet, label);
  await observation.allOpen(OPEN_DEADLINE_MS);
  const traffic = new Traffic(fleet, label, run.perSecond);
  traffic.start();
  // Nobody hears of this case then, but it must not go on.
  fleet.broken.catch(() => traffic.stop());
  // A first message between two needs keys; the fault should meet conversations that go on.
  await traffic.round();
  const faultAtMs = Date.now();
  await attempt(within('The fault', FAULT_DEADLINE_MS, chaosCase.fault(fleet)));
  const overAtMs = Date.now();
  await attempt(observation.allOpen(OPEN_DEADLINE_MS));
  await useAll(traffic, observation);
  await traffic.stop();
  await attempt(observation.allQuiet(traffic, QUIET_DEADLINE_MS));
  const measures = measure(await observation.end(traffic, { faultAtMs, overAtMs }));
  return {
    case: chaosCase.name,
    round,
    tookMs: performance.now() - startedMs,
    loadAverage: loadavg()[0] ?? 0,
    measures,
    verdicts: judge(measures, chaosCase.limits(budgets, { connections: fleet.accounts.length, workers })),
    problems: [...problems, ...traffic.failures],
  };
}

/** Gives each connection a turn after its last login: when one opened meanwhile, its turn may have been before that. */
async function useAll(traffic: Traffic, observation: Observation): Promise<void> {
  for (let round = 0; round < ROUNDS_AT_MOST; round += 1) {
    const sinceMs = Date.now();
    await traffic.round();
    if (!(await observation.hasOpenedSince(sinceMs))) return;
  }
}
