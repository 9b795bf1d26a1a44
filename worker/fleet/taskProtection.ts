import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * Keeps the task of this worker from being stopped by a deploy while a newer deploy generation takes over from it
 * (docs/lifecycle.md, "Deploys"). Without that, ECS stops an old task as soon as a new one is healthy, and a drain gives
 * away in its time only what the fleet can open in that time.
 *
 * Nothing relies on it. A protection that cannot be set, or that expires, leaves a task that is stopped and drains, as
 * every other one; a protection that cannot be lifted ends by itself. Heartbeats are the clock of all tries, so a worker
 * asks at most once in one, and stops asking when it drains or its lease is dead.
 */
export interface TaskProtectionDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  /** Protects the task for so many minutes, or lifts its protection (undefined). Rejects where that was not done. */
  readonly protectTask: ProtectTask;
}

export type ProtectTask = (minutes: number | undefined) => Promise<void>;

const MINUTE_MS = 60_000;
/** A worker that hangs holds a deploy up for no longer than this. */
const PROTECTED_FOR_MS = 30 * MINUTE_MS;
const RENEW_PROTECTION_MS = 10 * MINUTE_MS;
/**
 * How long a worker renews its protection in one deploy. With what is left of the last one it is two hours, and
 * CloudFormation gives a deploy up after three.
 */
const LONGEST_RENEWED_MS = 90 * MINUTE_MS;
const FIRST_PROTECTION_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

type Step = 'protect' | 'lift';

export class TaskProtection {
  readonly #dependencies: TaskProtectionDependencies;
  /** Since when the leader wants the protection; undefined while it does not. */
  #wantedSinceMs: number | undefined;
  /** When the protection was set for the last time. */
  #setAtMs: number | undefined;
  /** Until when the task may be protected, as far as is known: an answer that is lost says nothing of what was done. */
  #mayLastUntilMs = -Infinity;
  #nextTryMs = -Infinity;
  #pauseMs = FIRST_PROTECTION_PAUSE_MS;
  #isAsking = false;
  #isStopped = false;

  constructor(dependencies: TaskProtectionDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes over what the leader orders; called with each heartbeat that was answered. */
  follow(isWanted: boolean): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    // An order that changes is in more of a hurry than a pause after failures of the one before.
    if (isWanted !== (this.#wantedSinceMs !== undefined)) this.#nextTryMs = -Infinity;
    this.#wantedSinceMs = isWanted ? (this.#wantedSinceMs ?? nowMs) : undefined;
    const step = this.#stepAt(nowMs);
    if (step !== undefined) void this.#take(step, nowMs);
  }

  /** Asks for nothing more, since the worker ends. */
  stop(): void {
    this.#isStopped = true;
  }

  #stepAt(nowMs: number): Step | undefined {
    if (this.#isStopped || this.#isAsking || nowMs < this.#nextTryMs) return undefined;
    if (this.#wantedSinceMs === undefined) return nowMs < this.#mayLastUntilMs ? 'lift' : undefined;
    if (nowMs - this.#wantedSinceMs >= LONGEST_RENEWED_MS) return undefined;
    const isDue = this.#setAtMs === undefined || nowMs - this.#setAtMs >= RENEW_PROTECTION_MS;
    return isDue ? 'protect' : undefined;
  }

  async #take(step: Step, nowMs: number): Promise<void> {
    const { protectTask, logger, metrics, clock } = this.#dependencies;
    this.#isAsking = true;
    const isFirst = this.#setAtMs === undefined;
    // What is asked for may be done even where its answer is lost.
    if (step === 'protect') this.#mayLastUntilMs = Infinity;
    try {
      await protectTask(step === 'protect' ? PROTECTED_FOR_MS / MINUTE_MS : undefined);
      this.#setAtMs = step === 'protect' ? nowMs : undefined;
      if (step === 'lift') this.#mayLastUntilMs = -Infinity;
      this.#pauseMs = FIRST_PROTECTION_PAUSE_MS;
      if (step === 'lift') logger.info('task is not protected any more');
      else if (isFirst) logger.info('task is protected from being stopped', { forMs: PROTECTED_FOR_MS });
    } catch (error) {
      this.#nextTryMs = clock.monotonicMs() + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
      metrics.count('TaskProtectionFailed', { step });
      logger.warn('protection of the task could not be changed', { step, error });
    } finally {
      if (step === 'protect') this.#mayLastUntilMs = clock.monotonicMs() + PROTECTED_FOR_MS;
      this.#isAsking = false;
    }
  }
}
