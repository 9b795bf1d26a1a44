import type { Clock } from '../../shared/kernel/clock.ts';
import { Failed, span } from '../sentence.ts';
import type { StageOutputs } from './stageOutputs.ts';

/** What is changed of a stage on AWS while it is suspended. Each call may be repeated. */
export interface StageControls {
  /** Limits the requests of tenants; operators' routes have a limit of their own. Nobody gets through with 0. */
  readonly limitRequests: (apiId: string, perSecond: number) => Promise<void>;
  /** Sets the range of the service's scaling, and whether scaling rests. */
  readonly scale: (
    cluster: string,
    service: string,
    range: { readonly least: number; readonly most: number; readonly rests: boolean },
  ) => Promise<void>;
  readonly setWorkers: (cluster: string, service: string, count: number) => Promise<void>;
  /** The number of tasks that run or are about to. */
  readonly countWorkers: (cluster: string, service: string) => Promise<number>;
}

export interface SuspendDependencies {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly controls: StageControls;
  readonly say: (line: string) => void;
}

/** A task ends within its stop timeout of two minutes; ECS takes a while to begin. */
const WAIT_MS = 5 * 60_000;
const LOOK_EVERY_MS = 5_000;

/**
 * Stops a stage for work on its tables: callers first, then the scaling, which would start workers again, then the
 * workers. Resolves when none runs. Throws Failed when some still run after five minutes; it may be run again.
 */
export async function suspendStage({ clock, controls, say }: SuspendDependencies, stage: StageOutputs): Promise<void> {
  await controls.limitRequests(stage.apiId, 0);
  say('The API answers tenants with 429.');
  await controls.scale(stage.cluster, stage.service, { least: 0, most: Number(stage.workersMost), rests: true });
  say('Scaling rests.');
  await controls.setWorkers(stage.cluster, stage.service, 0);
  const startedMs = clock.monotonicMs();
  for (let last = -1; ; await clock.sleep(LOOK_EVERY_MS)) {
    const left = await controls.countWorkers(stage.cluster, stage.service);
    if (left === 0) break;
    if (clock.monotonicMs() - startedMs > WAIT_MS) {
      throw new Failed(`${left} workers still run after ${span(WAIT_MS)}: look at them in ECS, and run this again.`);
    }
    if (left !== last) say(`${left} workers still run.`);
    last = left;
  }
  say('No worker runs. Nothing is sent or received until ops resume.');
}

/**
 * Takes a suspended stage up again: workers, then their scaling, and callers when workers run. The figures are those of
 * the deployed templates. Throws Failed when no worker runs after five minutes; callers then stay out.
 */
export async function resumeStage({ clock, controls, say }: SuspendDependencies, stage: StageOutputs): Promise<void> {
  const [least, most] = [Number(stage.workersLeast), Number(stage.workersMost)];
  await controls.setWorkers(stage.cluster, stage.service, least);
  await controls.scale(stage.cluster, stage.service, { least, most, rests: false });
  say(`${least} workers start; scaling goes on between ${least} and ${most}.`);
  const startedMs = clock.monotonicMs();
  while ((await controls.countWorkers(stage.cluster, stage.service)) === 0) {
    if (clock.monotonicMs() - startedMs > WAIT_MS) {
      throw new Failed(
        `No worker runs after ${span(WAIT_MS)}; callers stay out. See the events of the service in ECS.`,
      );
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
  await controls.limitRequests(stage.apiId, Number(stage.requestsPerSecond));
  say(`The API takes ${stage.requestsPerSecond} requests a second again. See ops status until all is online.`);
}
