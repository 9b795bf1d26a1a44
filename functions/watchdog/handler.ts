import { readDigests } from '../../shared/connection/workerDigest.ts';
import { markLeaseDead, requestDrain, requestHandOffs } from '../../shared/fleet/fleetLease.ts';
import { readFleet, type FleetTable } from '../../shared/fleet/fleetTable.ts';
import { waitUntil } from '../../shared/kernel/clock.ts';
import { makeId, type WorkerId } from '../../shared/kernel/id.ts';
import type { CommandQueue } from '../../shared/message/command.ts';
import type { Metrics } from '../../shared/platform/metrics.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { WatchdogRules } from '../../shared/platform/watchdogConfig.ts';
import { requestControl } from '../runtime/requestControl.ts';
import { decide, type WatchdogStep, type RequestChange } from './decide.ts';
import { keepMemory, readMemory, type StepOutcome, type WatchdogMemory } from './watchdogMemory.ts';

export interface WatchdogDependencies
  extends Pick<Surroundings, 'clock' | 'random' | 'logger'>, FleetTable, CommandQueue {
  readonly rules: WatchdogRules;
  readonly shardCount: number;
  /**
   * Makes the platform end a task.
   * @param reason a sentence for a person who looks at the task later
   */
  readonly stopTask: (taskId: string, reason: string) => Promise<void>;
  /**
   * Opens the metrics of one run; `stop` writes them. Between two runs there must be nothing that keeps a process up.
   */
  readonly openMetrics: () => Metrics & { readonly stop: () => void };
}

type Running = WatchdogDependencies & { readonly metrics: Metrics };

/** The number of commands that are sent side by side. */
const AT_ONCE = 10;

/**
 * The watchdog, each minute: the layer of defence outside the workers (docs/lifecycle.md, "Watchdog"). It reads what
 * the workers report and does what `decide` returns. Of two runs at once, only the one whose memory is kept acts; so a
 * run that dies after that has recorded a step without doing it, and the next rung comes when its time has passed.
 * Throws when the store does not answer.
 */
export function makeWatchdogHandler(dependencies: WatchdogDependencies): () => Promise<void> {
  return async () => {
    const metrics = dependencies.openMetrics();
    try {
      await run({ ...dependencies, metrics });
    } finally {
      metrics.stop();
    }
  };
}

async function run(dependencies: Running): Promise<void> {
  const { clock, rules, shardCount, metrics, logger } = dependencies;
  const kept = await readMemory(dependencies);
  const fleet = await readFleet(dependencies, shardCount);
  const seenAtMs = clock.monotonicMs();
  const living = fleet.leases.filter(({ state }) => state !== 'DEAD').map(({ workerId }) => workerId);
  const digests = await readDigests(dependencies, living);
  const decision = decide(kept.memory, fleet, digests, clock.nowMs(), rules);
  const version = await keepMemory(dependencies, decision.memory, kept.version);
  if (version === 'overtaken') {
    logger.warn('another run of the watchdog was quicker, this one does nothing');
    return;
  }
  metrics.gauge('WatchdogBrake', decision.isBraking ? 1 : 0, {});
  if (decision.isBraking) logger.error('much looks bad at once, the watchdog does no more than restart');
  const requested = new Map<WorkerId, StepOutcome>();
  for (const change of decision.requestChanges) {
    requested.set(change.lease.workerId, await writeRequests(dependencies, change));
  }
  const outcomes = new Map<WatchdogStep, StepOutcome>();
  const quick = decision.steps.filter(({ rung }) => rung !== 'confirm_death');
  for (let start = 0; start < quick.length; start += AT_ONCE) {
    await Promise.all(
      quick
        .slice(start, start + AT_ONCE)
        .map(async (step) => outcomes.set(step, await take(dependencies, step, requested))),
    );
  }
  const deaths = decision.steps.filter(({ rung }) => rung === 'confirm_death');
  if (deaths.length > 0) {
    await waitUntil(clock, seenAtMs + rules.deathMs);
    const now = await readFleet(dependencies, shardCount);
    for (const step of deaths) {
      const heartbeat = now.leases.find(({ workerId }) => workerId === step.lease.workerId)?.heartbeat;
      outcomes.set(step, await confirmDeath(dependencies, step, heartbeat));
    }
  }
  for (const step of decision.steps) tell(dependencies, step, outcomes.get(step) ?? 'unknown');
  if (decision.steps.length === 0) return;
  // The outcomes are kept for people. When they cannot be kept, people see that the outcome is unknown.
  const completed = withOutcomes(decision.memory, decision.steps, outcomes);
  await keepMemory(dependencies, completed, version).catch((error: unknown) =>
    logger.warn('outcomes of the watchdog were not kept', { error }),
  );
}

/** Takes one step. A failure of one step does not prevent the others. */
async function take(
  dependencies: WatchdogDependencies,
  step: WatchdogStep,
  requested: ReadonlyMap<WorkerId, StepOutcome>,
): Promise<StepOutcome> {
  // The hand-off was requested on the lease above; a request that need not be changed stands already.
  if (step.rung === 'hand_off') return requested.get(step.lease.workerId) ?? 'done';
  try {
    return await perform(dependencies, step);
  } catch (error) {
    dependencies.logger.error('step of the watchdog failed', { ...fieldsOf(step), error });
    return 'failed';
  }
}

async function perform(dependencies: WatchdogDependencies, step: WatchdogStep): Promise<StepOutcome> {
  const { clock, random } = dependencies;
  const { rung, lease, connection, reason } = step;
  if (rung === 'restart' && connection !== undefined) {
    await requestControl(dependencies, connection, 'restart', makeId('cor', clock.nowMs(), random), 'command_only');
  } else if (rung === 'drain') {
    return (await requestDrain(dependencies, lease)) === 'requested' ? 'done' : 'refused';
  } else if (rung === 'stop_task') {
    await dependencies.stopTask(lease.taskId, `holdfast watchdog: ${reason}`);
  }
  return 'done';
}

/**
 * Confirms a death: the worker showed the same heartbeat for the time of a death, on this run's own monotonic clock and
 * by consistent reads. The condition of the write makes it true. The rest of its process is stopped: it may be frozen
 * and never end.
 */
async function confirmDeath(
  dependencies: Running,
  step: WatchdogStep,
  heartbeat: number | undefined,
): Promise<StepOutcome> {
  const { clock, metrics, logger } = dependencies;
  const { lease } = step;
  if (heartbeat === undefined) return 'refused';
  if (heartbeat !== lease.heartbeat) return 'alive';
  try {
    const death = { proof: 'observed', nowMs: clock.nowMs() } as const;
    const outcome = await markLeaseDead(dependencies, { ...lease, observedHeartbeat: heartbeat }, death);
    if (outcome === 'refused') return 'refused';
  } catch (error) {
    logger.error('step of the watchdog failed', { ...fieldsOf(step), error });
    return 'failed';
  }
  metrics.count('WorkersDead', { proof: 'observed' });
  await dependencies.stopTask(lease.taskId, 'holdfast watchdog: no heartbeat').catch((error: unknown) => {
    logger.warn('task of a dead worker could not be stopped', { ...fieldsOf(step), error });
  });
  return 'dead';
}

async function writeRequests(
  dependencies: WatchdogDependencies,
  { lease, requests }: RequestChange,
): Promise<'done' | 'refused' | 'failed'> {
  const { logger } = dependencies;
  const shards = requests.map(({ shard }) => shard);
  try {
    const outcome = await requestHandOffs(dependencies, lease, requests);
    logger.info('hand-offs requested', { workerId: lease.workerId, shards, outcome });
    return outcome === 'written' ? 'done' : 'refused';
  } catch (error) {
    logger.error('hand-offs could not be requested', { workerId: lease.workerId, shards, error });
    return 'failed';
  }
}

/** Reports a step as a metric and a log line; the memory holds it, too. */
function tell({ metrics, logger }: Running, step: WatchdogStep, outcome: StepOutcome): void {
  metrics.count('WatchdogSteps', { rung: step.rung });
  logger.warn('watchdog stepped in', { ...fieldsOf(step), outcome });
}

function fieldsOf({ rung, attempt, reason, lease, connection }: WatchdogStep) {
  return { action: rung, attempt, reason, workerId: lease.workerId, taskId: lease.taskId, ...connection };
}

/** The memory with the outcomes of this run's steps, which are the last that were recorded. */
function withOutcomes(
  memory: WatchdogMemory,
  steps: readonly WatchdogStep[],
  outcomes: ReadonlyMap<WatchdogStep, StepOutcome>,
): WatchdogMemory {
  const first = memory.steps.length - steps.length;
  return {
    ...memory,
    steps: memory.steps.map((record, index) => {
      const step = steps[index - first];
      return step === undefined ? record : { ...record, outcome: outcomes.get(step) ?? 'unknown' };
    }),
  };
}
