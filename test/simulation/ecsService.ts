import type { SimulatedFleet, SimulatedWorker } from './simulatedFleet.ts';
import type { SeededRandom } from './seededRandom.ts';

/** What the template says of the service and its task. */
export interface ServiceNumbers {
  readonly desiredCount: number;
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  readonly stopTimeoutMs: number;
  /** The container is asked for its health for the first time after this, and then again and again. */
  readonly healthIntervalMs: number;
}

/** A task as ECS sees it. */
interface Task {
  readonly worker: SimulatedWorker;
  healthyAtMs: number | undefined;
  /** When it was sent SIGTERM; undefined while ECS wants it to run. */
  stoppedAtMs: number | undefined;
}

/** How often ECS looks at a service that is being deployed. */
const LOOK_EVERY_MS = 5_000;
/** A task gets its network and pulls its image before its process starts: this takes between these. */
const START_MS = [20_000, 60_000] as const;
/** The event that a container has stopped is with its function after this. */
const EVENT_MS = 3_000;

/**
 * The rolling update of ECS over workers of a simulated fleet, from the numbers of the template: it starts tasks of the new
 * revision while that many may run, and stops old ones that are not protected while enough healthy ones are left. A task that does not end within
 * its stop timeout is killed. ECS does not say whether a task that is stopping counts among those that may run, so a world
 * chooses.
 */
export class EcsService {
  /** Names of tasks that were killed before they had drained. */
  readonly killed: string[] = [];
  /** The longest time from SIGTERM to the end of the process. */
  longestStopMs = 0;
  /** Fewest healthy tasks that were not told to stop, since the deploy began. */
  fewestHealthy = Infinity;
  /** Most tasks that ran at the same time, stopping ones included. */
  mostRunning = 0;
  readonly #world: SimulatedFleet;
  readonly #random: SeededRandom;
  readonly #numbers: ServiceNumbers;
  readonly #stoppingCounts: boolean;
  readonly #tasks: Task[] = [];
  #generation = 0;
  #starting = 0;
  #isDeploying = false;

  constructor(world: SimulatedFleet, random: SeededRandom, numbers: ServiceNumbers, stoppingCounts: boolean) {
    this.#world = world;
    this.#random = random;
    this.#numbers = numbers;
    this.#stoppingCounts = stoppingCounts;
  }

  /** Brings the service to a revision; the first one starts all its tasks at once. */
  deploy(generation: number): void {
    const isFirst = this.#generation === 0;
    this.#generation = generation;
    this.#isDeploying = !isFirst;
    if (isFirst) for (let count = 0; count < this.#numbers.desiredCount; count += 1) this.#run();
    this.#look();
  }

  /** Whether all tasks are of the newest revision and healthy, and none of another is left. */
  isSteady(): boolean {
    const { newer, older } = this.#sorted();
    const stopping = this.#tasks.filter(
      ({ worker }) => !worker.machine.isDead && worker.generation !== this.#generation,
    );
    const isHealthy = newer.every(({ healthyAtMs }) => healthyAtMs !== undefined);
    return isHealthy && newer.length === this.#numbers.desiredCount && older.length + stopping.length === 0;
  }

  #look(): void {
    this.#judge();
    if (this.#isDeploying) {
      this.#startNew();
      this.#stopOld();
    }
    this.#world.time.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** Tasks that ECS wants to run. */
  #sorted(): { readonly newer: readonly Task[]; readonly older: readonly Task[] } {
    const wanted = this.#tasks.filter(({ worker, stoppedAtMs }) => stoppedAtMs === undefined && !worker.machine.isDead);
    return {
      newer: wanted.filter(({ worker }) => worker.generation === this.#generation),
      older: wanted.filter(({ worker }) => worker.generation !== this.#generation),
    };
  }

  #judge(): void {
    const running = this.#tasks.filter(({ worker }) => !worker.machine.isDead);
    for (const task of running) {
      if (task.worker.running() !== undefined)
        task.healthyAtMs ??= this.#world.time.nowMs + this.#numbers.healthIntervalMs;
    }
    const isHealthy = ({ healthyAtMs = Infinity, stoppedAtMs }: Task): boolean =>
      healthyAtMs <= this.#world.time.nowMs && stoppedAtMs === undefined;
    if (!this.#isDeploying) return;
    this.mostRunning = Math.max(this.mostRunning, running.length + this.#starting);
    this.fewestHealthy = Math.min(this.fewestHealthy, running.filter(isHealthy).length);
  }

  #startNew(): void {
    const { desiredCount, maximumPercent } = this.#numbers;
    const { newer, older } = this.#sorted();
    const stopping = this.#tasks.filter(
      ({ worker, stoppedAtMs }) => stoppedAtMs !== undefined && !worker.machine.isDead,
    );
    const most = Math.floor((desiredCount * maximumPercent) / 100);
    const counted = newer.length + older.length + this.#starting + (this.#stoppingCounts ? stopping.length : 0);
    const wanted = Math.min(most - counted, desiredCount - newer.length - this.#starting);
    for (let count = 0; count < wanted; count += 1) {
      this.#starting += 1;
      this.#world.time.after(this.#random.between(...START_MS), () => {
        this.#starting -= 1;
        this.#run();
      });
    }
  }

  #stopOld(): void {
    const { desiredCount, minimumHealthyPercent } = this.#numbers;
    const { newer, older } = this.#sorted();
    const healthy = newer.filter(({ healthyAtMs = Infinity }) => healthyAtMs <= this.#world.time.nowMs);
    const least = Math.ceil((desiredCount * minimumHealthyPercent) / 100);
    const mayStop = older.filter(({ worker }) => !worker.isProtected());
    for (const task of mayStop.slice(0, Math.max(0, healthy.length + older.length - least))) this.#stop(task);
  }

  #run(): void {
    this.#tasks.push({
      worker: this.#world.startWorker(this.#generation),
      healthyAtMs: undefined,
      stoppedAtMs: undefined,
    });
  }

  #stop(task: Task): void {
    const { machine, terminate } = task.worker;
    const stoppedAtMs = this.#world.time.nowMs;
    task.stoppedAtMs = stoppedAtMs;
    terminate();
    const watch = (): void => {
      const tookMs = this.#world.time.nowMs - stoppedAtMs;
      if (machine.isDead) {
        this.longestStopMs = Math.max(this.longestStopMs, tookMs);
        this.#world.time.after(EVENT_MS, () => this.#world.reportStopped(task.worker));
      } else if (tookMs >= this.#numbers.stopTimeoutMs) {
        this.killed.push(machine.name);
        machine.kill();
        this.#world.time.after(EVENT_MS, () => this.#world.reportStopped(task.worker));
      } else this.#world.time.after(WATCH_EVERY_MS, watch);
    };
    watch();
  }
}

const WATCH_EVERY_MS = 500;
