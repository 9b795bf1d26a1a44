import { toCursor, startOf, type ReaderPlace } from '../../shared/event/eventCursor.ts';
import type { TenantEvent } from '../../shared/event/event.ts';
import { isWanted, type EventFilter } from '../../shared/event/eventFilter.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { readPlaced, type PlacedEvent } from '../../shared/event/readEvents.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import type { Feeds } from './feeds.ts';
import { eventFrame, resetFrame } from './frames.ts';
import { hasAllOf, isBefore, isLevel, type ReaderLanes } from './readerLanes.ts';
import type { TenantFeed } from './tenantFeed.ts';

export interface ReaderOptions {
  readonly tenantId: TenantId;
  readonly from: ReaderPlace;
  /** Whether the client goes on from a place of its own, and has to know if events behind it are gone. */
  readonly isResumed: boolean;
  /** An event is told if all of these want it. */
  readonly filters: readonly EventFilter[];
}

/** The characters of frames that are made at once: so much of a stream is in memory before it is written. */
const CHUNK = 64_000;
const READ = { events: 100, bytes: 100_000 } as const;

/**
 * How far one stream has come, and what it is told next. It goes along with the feed of its tenant where the feed has all
 * that is missing, and reads the log itself where it is further behind. Each event is told once: the place of its lane moves
 * behind it, and an event that is not behind the place is passed.
 */
export class StreamReader {
  readonly #dependencies: EventLogDependencies;
  readonly #feeds: Feeds;
  readonly #options: ReaderOptions;
  #at: ReaderLanes;
  #turn: number;
  #feed: TenantFeed | undefined;
  /** The number of the next event of the feed; undefined while the stream reads the log itself. */
  #next: number | undefined;
  #told = 0;
  /** Whether it has waited for the first read of another stream. One that is far behind does not bring a feed. */
  #hasWaited = false;

  constructor(dependencies: EventLogDependencies, feeds: Feeds, options: ReaderOptions) {
    this.#dependencies = dependencies;
    this.#feeds = feeds;
    this.#options = options;
    this.#at = options.from;
    this.#turn = options.from.turn;
  }

  /** The cursor behind all that was told or passed. */
  get cursor(): string {
    return toCursor(this.#options.tenantId, { ...this.#at, turn: this.#turn });
  }

  /** The feed, by which a wait for the next event ends; undefined while the stream has to look itself. */
  get feed(): TenantFeed | undefined {
    return this.#next === undefined ? undefined : this.#feed;
  }

  /** Whether the feed has an event that this stream has not looked at. */
  get hasNews(): boolean {
    return this.#next !== undefined && this.#feed?.at(this.#next) !== undefined;
  }

  /** The number of events that were told. */
  get told(): number {
    return this.#told;
  }

  /** The next frames; empty when there is nothing to tell. Rejects when the log cannot be read. */
  async next(): Promise<{ readonly text: string; readonly hasMore: boolean }> {
    const { tenantId } = this.#options;
    const fed = this.#fromFeed();
    if (fed !== undefined) return fed;
    const first = this.#hasWaited ? undefined : this.#feeds.firstRead(tenantId);
    if (first !== undefined) {
      this.#hasWaited = true;
      await first;
      return this.next();
    }
    return this.#feeds.reading(tenantId, () => this.#fromLog());
  }

  end(): void {
    if (this.#feed !== undefined) this.#feeds.giveBack(this.#options.tenantId);
    this.#feed = undefined;
    this.#next = undefined;
  }

  /** What the feed has behind the place of this stream; undefined where the feed begins further on. */
  #fromFeed(): { readonly text: string; readonly hasMore: boolean } | undefined {
    const feed = (this.#feed ??= this.#feeds.join(this.#options.tenantId, this.#at));
    if (feed === undefined) return undefined;
    if (this.#next === undefined || this.#next < feed.first) {
      this.#next = hasAllOf(this.#at, feed.start) ? feed.first : undefined;
      if (this.#next === undefined) return undefined;
    }
    let text = '';
    for (; text.length < CHUNK; this.#next += 1) {
      const fed = feed.at(this.#next);
      if (fed === undefined) return { text, hasMore: false };
      text += this.#tell(fed, fed.event, fed);
    }
    return { text, hasMore: true };
  }

  async #fromLog(): Promise<{ readonly text: string; readonly hasMore: boolean }> {
    const { tenantId } = this.#options;
    const page = await readPlaced(this.#dependencies, tenantId, { ...this.#at, turn: this.#turn }, READ);
    let text = page.isCut && this.#options.isResumed ? resetFrame() : '';
    for (const placed of page.events) text += this.#tell(placed, JSON.parse(placed.text) as TenantEvent);
    this.#at = page.place;
    this.#turn = page.place.turn;
    if (!page.hasMore) this.#feed ??= this.#feeds.take(tenantId, page.place);
    return { text, hasMore: page.hasMore };
  }

  /** The frame of an event, unless the stream has it already or does not want it. */
  #tell(
    { text, generation, lane, behind }: PlacedEvent,
    event: TenantEvent,
    fed?: { readonly after: ReaderLanes; readonly cursor: string },
  ): string {
    if (generation < this.#at.generation) return '';
    const from = generation === this.#at.generation ? this.#at : startOf(generation);
    const place = from.lanes[lane];
    if (place !== undefined && !isBefore(place, behind)) return '';
    const moved = { generation, lanes: from.lanes.with(lane, behind) };
    const isWithFeed = fed !== undefined && isLevel(moved, fed.after);
    this.#at = isWithFeed ? fed.after : moved;
    this.#turn = 0;
    if (!this.#options.filters.every((filter) => isWanted(event, filter))) return '';
    this.#told += 1;
    return eventFrame(isWithFeed ? fed.cursor : this.cursor, event.type, text);
  }
}
