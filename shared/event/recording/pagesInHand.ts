import type { TenantId } from '../../kernel/id.ts';
import { isStale, PAGE_EVENTS, PAGE_ITEM_BYTES, takePlaces, voidPlaces, writeTexts, eventIdAt } from '../eventPages.ts';
import type { EventLogDependencies, EventPlaces, Lane } from '../eventLog.ts';
import type { EventId } from '../../kernel/id.ts';
import type { NewEvent } from './rowInHand.ts';
import { textBytes, textOf } from './loggedEvent.ts';

/** Events as they will stand on one page, in their order. */
export type PageOfEvents = readonly [NewEvent, ...NewEvent[]];

/** Splits events into pages, in their order. An event that is too long for a page with others has one for itself. */
export function inPages(events: readonly NewEvent[], mostEvents: number): readonly PageOfEvents[] {
  const pages: [NewEvent, ...NewEvent[]][] = [];
  let bytes = 0;
  for (const event of events) {
    const page = pages.at(-1);
    const size = textBytes(event);
    bytes += size;
    if (page === undefined || page.length >= Math.min(mostEvents, PAGE_EVENTS) || bytes > PAGE_ITEM_BYTES) {
      pages.push([event]);
      bytes = size;
    } else {
      page.push(event);
    }
  }
  return pages;
}

/** Pages whose places are taken, in their order. */
export class PagesInHand {
  readonly #dependencies: EventLogDependencies;
  readonly #tenantId: TenantId;
  readonly #pages: readonly { readonly places: EventPlaces; readonly events: PageOfEvents }[];
  readonly #ids = new Map<NewEvent, EventId>();

  private constructor(
    dependencies: EventLogDependencies,
    tenantId: TenantId,
    pages: readonly { readonly places: EventPlaces; readonly events: PageOfEvents }[],
  ) {
    this.#dependencies = dependencies;
    this.#tenantId = tenantId;
    this.#pages = pages;
    for (const { places, events } of pages) {
      events.forEach((event, index) => this.#ids.set(event, eventIdAt(places, index)));
    }
  }

  /** Takes a place for each page. `sealed`: the lane gives no more; places that it gave are void. */
  static async take(
    dependencies: EventLogDependencies,
    tenantId: TenantId,
    lane: Lane,
    pages: readonly PageOfEvents[],
  ): Promise<PagesInHand | 'sealed'> {
    const taken: { places: EventPlaces; events: PageOfEvents }[] = [];
    for (const events of pages) {
      let places: EventPlaces | 'sealed';
      try {
        places = await takePlaces(dependencies, tenantId, lane, events.length);
      } catch (error) {
        await new PagesInHand(dependencies, tenantId, taken).giveUp();
        throw error;
      }
      if (places === 'sealed') {
        await new PagesInHand(dependencies, tenantId, taken).giveUp();
        return 'sealed';
      }
      taken.push({ places, events });
    }
    return new PagesInHand(dependencies, tenantId, taken);
  }

  /** The id that an event has in its place. */
  readonly idOf = (event: NewEvent): EventId => {
    const id = this.#ids.get(event);
    if (id === undefined) throw new Error('the event has no place');
    return id;
  };

  /** Whether the places were held for too long to write into them. */
  isStale(nowMs: number): boolean {
    return this.#pages.some(({ places }) => isStale(places, nowMs));
  }

  /**
   * Writes the pages, in their order, and stops at the first that does not get its place: an event must not be told before
   * one that comes before it. Returns the events that are told, with the failure that stopped it, if one did.
   */
  async write(): Promise<{ readonly told: readonly NewEvent[]; readonly failed?: FailedPage }> {
    const told: NewEvent[] = [];
    for (const [index, { places, events }] of this.#pages.entries()) {
      const failed = await this.#writeOne(places, events);
      if (failed !== undefined) {
        await this.giveUp(index);
        return { told, failed };
      }
      told.push(...events);
    }
    return { told };
  }

  async #writeOne(places: EventPlaces, events: PageOfEvents): Promise<FailedPage | undefined> {
    const texts = events.map((event) => textOf(event, this.idOf(event)));
    try {
      const outcome = await writeTexts(this.#dependencies, this.#tenantId, places, texts);
      return outcome === 'written' ? undefined : { events, reason: 'occupied' };
    } catch (error) {
      return { events, reason: { error } };
    }
  }

  /**
   * Declares the places void, so that no reader waits for them; those of the first pages are left out. If the store is
   * gone, a reader settles them later. Never rejects.
   */
  async giveUp(from = 0): Promise<void> {
    await Promise.all(
      this.#pages
        .slice(from)
        .map(({ places }) => voidPlaces(this.#dependencies, this.#tenantId, places).catch(() => undefined)),
    );
  }
}

export interface FailedPage {
  readonly events: PageOfEvents;
  readonly reason: 'occupied' | { readonly error: unknown };
}
