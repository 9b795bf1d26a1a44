import type { ReaderPlace } from '../../shared/event/eventCursor.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { TenantFeed, type FeedDependencies } from './tenantFeed.ts';

interface Held {
  readonly feed: TenantFeed;
  streams: number;
}

/** The feeds of the tenants that have streams in this process. Each goes with the last of its streams. */
export class Feeds {
  readonly #dependencies: FeedDependencies;
  readonly #held = new Map<TenantId, Held>();

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

  giveBack(tenantId: TenantId): void {
    const held = this.#held.get(tenantId);
    if (held === undefined) return;
    held.streams -= 1;
    if (held.streams > 0) return;
    held.feed.stop();
    this.#held.delete(tenantId);
  }
}
