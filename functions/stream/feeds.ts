import type { ReaderPlace } from '../../shared/event/eventCursor.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { hasAllOf, type ReaderLanes } from './readerLanes.ts';
import { TenantFeed, type FeedDependencies } from './tenantFeed.ts';

interface Held {
  readonly feed: TenantFeed;
  streams: number;
}

/** The feeds of the tenants that have streams in this process. Each goes with the last of its streams. */
export class Feeds {
  readonly #dependencies: FeedDependencies;
  readonly #held = new Map<TenantId, Held>();
  /** First reads of logs of which there is no feed, by tenant; each goes when it has ended. */
  readonly #first = new Map<TenantId, Promise<unknown>>();

  constructor(dependencies: FeedDependencies) {
    this.#dependencies = dependencies;
  }

  get lookEveryMs(): number {
    return this.#dependencies.lookEveryMs;
  }

  /** The feed of a tenant, for one more stream, which gives it back. A new one begins at the place of that stream. */
  take(tenantId: TenantId, place: ReaderPlace): TenantFeed {
    const held = this.#held.get(tenantId);
    if (held !== undefined) {
      held.streams += 1;
      return held.feed;
    }
    const feed = new TenantFeed(this.#dependencies, tenantId, place);
    this.#held.set(tenantId, { feed, streams: 1 });
    void feed.run();
    return feed;
  }

  /**
   * The feed of a tenant, for one more stream, which gives it back; undefined where there is none that has all that the stream lacks, or where
   * the stream is further on: another process may have looked at the log since, and a place of which the log knows nothing is no place.
   */
  join(tenantId: TenantId, at: ReaderLanes): TenantFeed | undefined {
    const held = this.#held.get(tenantId);
    if (held === undefined || !hasAllOf(at, held.feed.start) || !hasAllOf(held.feed.reach, at)) return undefined;
    held.streams += 1;
    return held.feed;
  }

  /** The first read of a log of which there is no feed yet, which ends with a feed in most cases; undefined while there is none under way. */
  firstRead(tenantId: TenantId): Promise<unknown> | undefined {
    return this.#held.has(tenantId) ? undefined : this.#first.get(tenantId);
  }

  /** Reads a log; where it is the first read, streams that come meanwhile wait for it, so that a hundred that come together read once. */
  async reading<Result>(tenantId: TenantId, read: () => Promise<Result>): Promise<Result> {
    if (this.#held.has(tenantId) || this.#first.has(tenantId)) return read();
    const reading = read();
    const ended = reading.catch(() => undefined);
    this.#first.set(tenantId, ended);
    try {
      return await reading;
    } finally {
      this.#first.delete(tenantId);
    }
  }

  giveBack(tenantId: TenantId): void {
    const held = this.#held.get(tenantId);
    if (held === undefined) return;
    held.streams -= 1;
    if (held.streams > 0) return;
    held.feed.stop();
    this.#held.delete(tenantId);
  }
}
