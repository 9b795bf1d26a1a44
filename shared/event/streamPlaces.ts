import type { TenantId } from '../kernel/id.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import type { EventLogDependencies } from './eventLog.ts';
import { TenantStreamPlaces, type PlaceOptions } from './tenantStreamPlaces.ts';

export interface StreamPlacesDependencies extends EventLogDependencies, Pick<Surroundings, 'clock' | 'random'> {}

/** The place of one stream, until it is given back or lost. */
export interface StreamPlace {
  readonly tenantId: TenantId;
  isHeld: boolean;
}

const PROCESS_BYTES = 9;
/** How long a place that is being given back elsewhere is waited for, in milliseconds: by a client that comes from another process. */
const FREE_SOON_MS = 150;

/**
 * The places of tenants' streams: so many of a tenant at once over all processes. A process says in the row of the tenant how many it has
 * (`tenantStreamPlaces.ts`), so that streams that come and go together cost one write, and not three calls each.
 */
export class StreamPlaces {
  readonly #dependencies: StreamPlacesDependencies;
  readonly #options: PlaceOptions;
  readonly #tenants = new Map<TenantId, TenantStreamPlaces>();

  constructor(dependencies: StreamPlacesDependencies, options: Omit<PlaceOptions, 'process'>) {
    this.#dependencies = dependencies;
    const process = Buffer.from(dependencies.random.bytes(PROCESS_BYTES)).toString('base64url');
    this.#options = { ...options, process };
  }

  /**
   * Takes a place. Undefined when all are taken, also a moment later. Rejects when that is not known.
   * @param most the most streams of the tenant, over all processes
   */
  async take(tenantId: TenantId, most: number): Promise<StreamPlace | undefined> {
    const isTaken = (await this.#of(tenantId, (places) => places.take(most))) || (await this.#takeSoon(tenantId, most));
    return isTaken ? { tenantId, isHeld: true } : undefined;
  }

  /** Holds a place for longer. `lost` when the process stood still for so long that others have it. Rejects when that is not known. */
  async keep(place: StreamPlace): Promise<'held' | 'lost'> {
    const kept = place.isHeld ? await this.#of(place.tenantId, (places) => places.keep()) : 'lost';
    if (kept === 'lost') place.isHeld = false;
    return kept;
  }

  /** Gives a place back. Where that fails it is free when its time is over. Rejects then. */
  async release(place: StreamPlace): Promise<void> {
    if (!place.isHeld) return;
    place.isHeld = false;
    await this.#of(place.tenantId, (places) => places.release());
  }

  async #takeSoon(tenantId: TenantId, most: number): Promise<boolean> {
    await this.#dependencies.clock.sleep(FREE_SOON_MS);
    return this.#of(tenantId, (places) => places.take(most));
  }

  async #of<Result>(tenantId: TenantId, act: (places: TenantStreamPlaces) => Promise<Result>): Promise<Result> {
    const known = this.#tenants.get(tenantId);
    const places = known ?? new TenantStreamPlaces(this.#dependencies, tenantId, this.#options);
    if (known === undefined) this.#tenants.set(tenantId, places);
    try {
      return await act(places);
    } finally {
      // What this process is not sure of it learns from the row, when the tenant has a stream here again.
      if (places.isIdle && this.#tenants.get(tenantId) === places) this.#tenants.delete(tenantId);
    }
  }
}
