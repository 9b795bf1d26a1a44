import { z } from 'zod';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import type { LocalWorker } from '../../infra/local/workerFleet.ts';
import { untilNothingIsMissing } from './waiting.ts';

/** What operators see of the fleet. Faults are aimed by it; nothing is counted by it. */
const fleetSchema = z.object({
  leader: z.string().optional(),
  unowned: z.number(),
  workers: z.array(z.object({ id: z.string(), state: z.string(), shards: z.number() })),
});

/** A worker process, and how many shards it owns. */
interface Hand extends LocalWorker {
  readonly shards: number;
  readonly isLeader: boolean;
}

/** Whether workers of a deploy get a generation of their own (HOLDFAST_GENERATION), so that the older ones give to them. */
const DEPLOY_SETS_GENERATION = true;

/** The workers of a fleet under test: who leads, who holds what, and how many there are. */
export class Crew {
  readonly #stack: RunningStack;
  readonly #operator: ApiClient;
  #generation = 0;

  constructor(stack: RunningStack, operator: ApiClient) {
    this.#stack = stack;
    this.#operator = operator;
  }

  async leader(): Promise<LocalWorker> {
    const leader = (await this.#look()).find(({ isLeader }) => isLeader);
    if (leader === undefined) throw new Error('No worker leads.');
    return leader;
  }

  /** The worker beside the leader that holds most. */
  async holder(): Promise<LocalWorker> {
    const [first] = (await this.#look())
      .filter(({ isLeader }) => !isLeader)
      .sort((left, right) => right.shards - left.shards);
    if (first === undefined || first.shards === 0) throw new Error('No worker beside the leader holds a shard.');
    return first;
  }

  /** A worker dies, and is not replaced. @param isReported whether the supervisor tells, as ECS does */
  async kill({ index }: LocalWorker, isReported: boolean): Promise<void> {
    this.#stack.reportStops(index, isReported);
    await this.#stack.removeWorker(index, 'SIGKILL');
  }

  /** A worker is asked to stop, and is not replaced. */
  dismiss({ index }: LocalWorker): Promise<void> {
    return this.#stack.removeWorker(index, 'SIGTERM');
  }

  async hire(count: number): Promise<void> {
    const settings = DEPLOY_SETS_GENERATION ? { HOLDFAST_GENERATION: String(this.#generation) } : {};
    await Promise.all(Array.from({ length: count }, () => this.#stack.addWorker(settings)));
  }

  /** Replaces the workers one after the other: first a new one, then an old one is asked to stop. */
  async deploy(): Promise<void> {
    this.#generation += 1;
    for (const old of this.#stack.workers()) {
      await this.hire(1);
      await this.dismiss(old);
    }
  }

  /** Waits until no two workers differ by more than a shard. Throws an Error with what they hold after the deadline. */
  evenOut(deadlineMs: number): Promise<void> {
    return untilNothingIsMissing(async () => {
      const held = (await this.#look()).map(({ shards }) => shards);
      return isEven(held) ? undefined : `the workers still hold ${held.join(', ')} shards`;
    }, deadlineMs);
  }

  /**
   * Restores the wanted number of workers, with about as many shards each. It begins anew if the spread is not so: that
   * takes seconds.
   */
  async restore(count: number): Promise<void> {
    const hands = await this.#look();
    if (hands.length === count && isEven(hands.map(({ shards }) => shards))) return;
    await Promise.all(hands.map((hand) => this.dismiss(hand)));
    await this.hire(count);
  }

  async #look(): Promise<readonly Hand[]> {
    const { leader, workers } = fleetSchema.parse(await this.#operator.must('GET', '/v1/admin/fleet'));
    const shards = new Map(workers.map(({ id, shards: held }) => [id, held]));
    return this.#stack.workers().map((worker) => ({
      ...worker,
      shards: shards.get(worker.workerId) ?? 0,
      isLeader: worker.workerId === leader,
    }));
  }
}

function isEven(held: readonly number[]): boolean {
  return Math.max(...held) - Math.min(...held) <= 1;
}
