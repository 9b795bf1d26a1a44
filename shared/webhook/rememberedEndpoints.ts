import { LRUCache } from 'lru-cache';
import type { EndpointId, TenantId } from '../kernel/id.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { isOpen, type Endpoint } from './endpoint.ts';
import type { EndpointStore } from './endpointStore.ts';

/** How long an endpoint that is well is remembered, in milliseconds. */
export const REMEMBERED_MS = 1_000;
const REMEMBERED_ENDPOINTS = 2_000;

/**
 * The endpoints that a process has read within the last second, so that a busy one costs a read a second and not one
 * for each delivery. An endpoint that is deleted, disabled or whose breaker opens is posted to for a second more at the
 * most, as by an attempt that was under way.
 *
 * **Only an endpoint that is well is remembered**: active, its breaker closed, no failure counted. Each of these can
 * change for the worse without harm, as above. All else is read anew by each delivery: to remember an open breaker would
 * let a delivery wait for its schedule after the breaker has closed and what waited has been released; to remember a
 * trial that is over, or a disabled endpoint that was resumed, the same.
 *
 * - The row of failures: a process forgets the endpoint with each attempt that fails, so its next success finds the
 *   failures and ends their row. Failures that other processes count stay unseen for a second, and a success within it
 *   does not end their row; the next reading does. A breaker that opens early by this closes with its first trial.
 * - Two deliveries ask at once: they share one read, which then is as old as the read itself.
 * - The read never returns: it ends with the deadline of its client, and who waits for it is told; nothing is kept.
 */
export class RememberedEndpoints {
  readonly #endpoints: Pick<EndpointStore, 'find'>;
  readonly #clock: Surroundings['clock'];
  readonly #known = new LRUCache<string, { readonly endpoint: Endpoint; readonly untilMs: number }>({
    max: REMEMBERED_ENDPOINTS,
  });
  readonly #reads = new Map<string, Promise<Endpoint | undefined>>();

  constructor(endpoints: Pick<EndpointStore, 'find'>, clock: Surroundings['clock']) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  /** Finds an endpoint of a tenant: as it was within the last second if it was well, and else as it is. */
  async find(tenantId: TenantId, endpointId: EndpointId): Promise<Endpoint | undefined> {
    const name = nameOf(tenantId, endpointId);
    const known = this.#known.get(name);
    if (known !== undefined && this.#clock.monotonicMs() < known.untilMs) return known.endpoint;
    const running = this.#reads.get(name);
    if (running !== undefined) return running;
    // A memory begins before its read, so that it is never older than it says.
    const untilMs = this.#clock.monotonicMs() + REMEMBERED_MS;
    const read = this.#endpoints.find(tenantId, endpointId);
    this.#reads.set(name, read);
    try {
      const endpoint = await read;
      // Where the endpoint was forgotten meanwhile, this read may be from before the change.
      const isNewest = this.#reads.get(name) === read;
      if (isNewest && endpoint !== undefined && isWell(endpoint)) this.#known.set(name, { endpoint, untilMs });
      return endpoint;
    } finally {
      if (this.#reads.get(name) === read) this.#reads.delete(name);
    }
  }

  /** Forgets an endpoint whose record this process has changed, or is about to; a read under way is shared no more. */
  forget({ tenantId, endpointId }: Pick<Endpoint, 'tenantId' | 'endpointId'>): void {
    const name = nameOf(tenantId, endpointId);
    this.#known.delete(name);
    this.#reads.delete(name);
  }
}

function nameOf(tenantId: TenantId, endpointId: EndpointId): string {
  return `${tenantId} ${endpointId}`;
}

function isWell(endpoint: Endpoint): boolean {
  const { breaker } = endpoint;
  return isOpen(endpoint) && breaker.failures === 0 && breaker.openUntilMs === undefined;
}
