import type { ConnectionVitals } from '../../shared/connection/liveness.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { CommandPoller } from './commandPoller.ts';
import type { ConnectionRunners } from '../runner/connectionRunners.ts';
import { sumOfWaiting, type Waiting } from '../runner/waitingWatch.ts';
import type { HeldConnection } from '../runner/heldConnection.ts';
import { countStatuses, type HeldStatus } from '../runner/heldStatus.ts';

/** The work of one owned shard. */
export interface ShardWork {
  readonly runners: ConnectionRunners;
  readonly poller: CommandPoller;
  /** The scope of all resources of this work, and of its connections. */
  readonly scope: Scope;
}

/**
 * The work of this worker for the shards that it owns: all work of a shard begins at its claim and ends before its
 * release.
 */
export class OwnedShards {
  readonly #makeWork: (shard: number, epoch: number) => ShardWork;
  readonly #logger: Logger;
  readonly #work = new Map<number, ShardWork>();
  #isHurried = false;

  constructor(makeWork: (shard: number, epoch: number) => ShardWork, logger: Logger) {
    this.#makeWork = makeWork;
    this.#logger = logger;
  }

  /**
   * Begins the work of a shard that this worker owns under this epoch: holds its connections and polls its commands.
   */
  claimed(shard: number, epoch: number): void {
    this.lost(shard);
    const work = this.#makeWork(shard, epoch);
    this.#work.set(shard, work);
    work.runners.start();
    work.poller.hurry(this.#isHurried);
    work.poller.start();
  }

  /** Makes sockets use another client version: connections whose old version was refused open again. */
  versionChanged(): void {
    for (const { runners } of this.#work.values()) runners.versionChanged();
  }

  /** The number of connections of all shards, and how many of them are online. */
  count(): { readonly connections: number; readonly online: number } {
    let connections = 0;
    let online = 0;
    for (const { runners } of this.#work.values()) {
      connections += runners.size;
      online += runners.online;
    }
    return { connections, online };
  }

  /** All connections, for the supervisor. */
  connections(): readonly HeldConnection[] {
    return [...this.#work.values()].flatMap(({ runners }) => runners.all);
  }

  /** The evidence that each connection of all shards shows of its life. */
  vitals(): readonly ConnectionVitals[] {
    return this.connections().map((held) => held.vitals());
  }

  /** The messages that wait to be sent on the online connections of all shards. */
  waiting(nowMs: number): Waiting {
    return sumOfWaiting([...this.#work.values()].map(({ runners }) => runners.waiting(nowMs)));
  }

  /** The number of connections of all shards by status. */
  byStatus(): ReadonlyMap<HeldStatus, number> {
    return countStatuses([...this.#work.values()].flatMap(({ runners }) => runners.statuses));
  }

  /** Ends the work of a shard that another worker owns: closes sockets without logging out, writes nothing. */
  lost(shard: number): void {
    const work = this.#work.get(shard);
    if (work === undefined) return;
    this.#work.delete(shard);
    this.#logger.warn('shard lost', { shard });
    work.poller.abandon();
    void this.#lose(work).catch((error: unknown) =>
      this.#logger.error('lost connections did not close', { shard, error }),
    );
  }

  /** Makes polls short while all shards are to leave soon, and long again when they are to stay. */
  hurry(isHurried: boolean): void {
    if (this.#isHurried === isHurried) return;
    this.#isHurried = isHurried;
    for (const { poller } of this.#work.values()) poller.hurry(isHurried);
  }

  /** Ends the work of a shard before another owns it: polls, sends in flight, sockets. Rejects when one does not end. */
  async drain(shard: number): Promise<void> {
    const work = this.#work.get(shard);
    if (work === undefined) return;
    // A long poll that is out is waited for first: meanwhile the connections stay online, and messages go out as
    // always.
    await work.poller.settle();
    await work.poller.drain();
    await work.runners.drain();
    await work.scope.close();
    this.#work.delete(shard);
    this.#logger.info('shard drained', { shard });
  }

  /** Closes every socket without logging out, because the worker is fenced. Resolves when they are closed. */
  async loseAll(): Promise<void> {
    const all = [...this.#work.values()];
    this.#work.clear();
    for (const { poller } of all) poller.abandon();
    await Promise.all(all.map((work) => this.#lose(work)));
  }

  async #lose({ runners, scope }: ShardWork): Promise<void> {
    try {
      await runners.lose();
    } finally {
      await scope.close();
    }
  }
}
