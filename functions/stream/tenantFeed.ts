import { toCursor } from '../../shared/event/eventCursor.ts';
import type { TenantEvent } from '../../shared/event/event.ts';
import { startOf, type ReaderPlace } from '../../shared/event/eventCursor.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { mayHaveNews, readPlaced, type PlacedEvent } from '../../shared/event/readEvents.ts';
import { Stop } from '../../shared/kernel/clock.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { ReaderLanes } from './readerLanes.ts';

export interface FeedDependencies extends EventLogDependencies, Pick<Surroundings, 'logger'> {
  /** How often the log of a tenant is looked at, in milliseconds. A look at which nothing is new costs one read. */
  readonly lookEveryMs: number;
}

/** An event for all streams of a tenant, with how far the feed was when it had it. */
export interface FedEvent extends PlacedEvent {
  readonly event: TenantEvent;
  readonly after: ReaderLanes;
  /** The cursor behind it, for a stream that has come exactly as far as the feed. */
  readonly cursor: string;
}

/** What a feed keeps for streams that are a little behind; further behind, they read the log themselves. */
const KEPT_EVENTS = 1_000;
const KEPT_BYTES = 1_000_000;
const READ = { events: 200, bytes: 400_000 } as const;
/** The pause after a read that failed, in milliseconds. */
const AFTER_FAILURE_MS = 1_000;
/** How long nothing has happened in a log that is looked at less often, and how often then, in milliseconds: each look is a read. */
const QUIET_AFTER_MS = 60_000;
const QUIET_LOOK_MS = 2_000;

/**
 * The end of one tenant's log, read once for all streams of the tenant in this process. It begins where its first stream has
 * come to, and goes on while it has streams. A read that fails is made again: the streams stand meanwhile, and miss nothing.
 */
export class TenantFeed {
  readonly #dependencies: FeedDependencies;
  readonly #tenantId: TenantId;
  readonly #waiting = new Set<Stop>();
  readonly #pause = new Stop();
  #events: FedEvent[] = [];
  #bytes = 0;
  #place: ReaderPlace;
  #start: ReaderLanes;
  /** The number of events that were dropped: the first one that is kept has it as its number. */
  #dropped = 0;

  constructor(dependencies: FeedDependencies, tenantId: TenantId, from: ReaderPlace) {
    this.#dependencies = dependencies;
    this.#tenantId = tenantId;
    this.#place = from;
    this.#start = from;
  }

  /** The place before the first event that is kept: a reader who has all up to it can go on with what is kept. */
  get start(): ReaderLanes {
    return this.#start;
  }

  /** How far the feed has come. */
  get reach(): ReaderLanes {
    return this.#place;
  }

  /** The number of the first event that is kept. */
  get first(): number {
    return this.#dropped;
  }

  /** The event with a number; undefined behind the end. */
  at(number: number): FedEvent | undefined {
    return this.#events[number - this.#dropped];
  }

  /** Has a wait ended by the next event. The caller takes it away after its wait. */
  wakes(stop: Stop): void {
    this.#waiting.add(stop);
  }

  wakesNoMore(stop: Stop): void {
    this.#waiting.delete(stop);
  }

  /** Reads until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { clock, logger, lookEveryMs } = this.#dependencies;
    let newsAtMs = clock.monotonicMs();
    while (!this.#pause.aborted) {
      try {
        const pauseMs = pauseAfter(clock.monotonicMs() - newsAtMs, lookEveryMs);
        const { isNew, hasMore } = await this.#look(pauseMs > lookEveryMs);
        if (isNew) newsAtMs = clock.monotonicMs();
        if (!hasMore) await clock.sleep(isNew ? lookEveryMs : pauseMs, this.#pause);
      } catch (error) {
        logger.warn('event log could not be read for streams', { tenantId: this.#tenantId, error });
        await clock.sleep(AFTER_FAILURE_MS, this.#pause);
      }
    }
  }

  stop(): void {
    this.#pause.abort();
  }

  /** Looks for events; where nothing has happened for long, at the counters first. */
  async #look(isQuiet: boolean): Promise<{ readonly isNew: boolean; readonly hasMore: boolean }> {
    if (isQuiet && !(await mayHaveNews(this.#dependencies, this.#tenantId, this.#place))) {
      return { isNew: false, hasMore: false };
    }
    return this.#read();
  }

  async #read(): Promise<{ readonly isNew: boolean; readonly hasMore: boolean }> {
    const page = await readPlaced(this.#dependencies, this.#tenantId, this.#place, READ);
    let at: ReaderLanes = this.#events.at(-1)?.after ?? this.#start;
    for (const placed of page.events) {
      const from = at.generation === placed.generation ? at : startOf(placed.generation);
      at = { generation: from.generation, lanes: from.lanes.with(placed.lane, placed.behind) };
      this.#keep(placed, at);
    }
    this.#place = page.place;
    const isNew = page.events.length > 0;
    if (isNew) {
      for (const stop of this.#waiting) stop.abort();
      this.#waiting.clear();
    }
    return { isNew, hasMore: page.hasMore };
  }

  #keep(placed: PlacedEvent, after: ReaderLanes): void {
    const cursor = toCursor(this.#tenantId, { ...after, turn: 0 });
    this.#events.push({ ...placed, after, cursor, event: JSON.parse(placed.text) as TenantEvent });
    this.#bytes += placed.text.length;
    while (this.#events.length > KEPT_EVENTS || (this.#bytes > KEPT_BYTES && this.#events.length > 1)) {
      const oldest = this.#events.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.text.length;
      this.#start = oldest.after;
      this.#dropped += 1;
    }
  }
}

/** The pause before the next look, in milliseconds, when nothing was new for so long. */
export function pauseAfter(quietMs: number, lookEveryMs: number): number {
  return quietMs < QUIET_AFTER_MS ? lookEveryMs : Math.max(lookEveryMs, QUIET_LOOK_MS);
}
