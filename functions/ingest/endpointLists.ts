import { LRUCache } from 'lru-cache';
import type { TenantId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import type { EndpointStore } from '../../shared/webhook/endpointStore.ts';

/** How long the endpoints of a tenant are remembered, in milliseconds. */
const REMEMBERED_MS = 1_000;
const TENANTS = 5_000;

/**
 * The endpoints of tenants as they were within the last second, so that a busy tenant costs a read a second. An endpoint
 * that is made gets the events of at most a second later, as if it had been made then; one that is deleted or disabled is
 * looked at again before each post. That a tenant has none is not remembered: whoever makes the first one then sees all
 * that happens from the answer on. A read that fails is not remembered, and its failure is for all who wait for it.
 */
export class EndpointLists {
  readonly #endpoints: Pick<EndpointStore, 'list'>;
  readonly #clock: Surroundings['clock'];
  readonly #known = new LRUCache<TenantId, { readonly read: Promise<readonly Endpoint[]>; readonly untilMs: number }>({
    max: TENANTS,
  });

  constructor(endpoints: Pick<EndpointStore, 'list'>, clock: Surroundings['clock']) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  async of(tenantId: TenantId): Promise<readonly Endpoint[]> {
    const known = this.#known.get(tenantId);
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && nowMs < known.untilMs) return known.read;
    const read = this.#endpoints.list(tenantId);
    this.#known.set(tenantId, { read, untilMs: nowMs + REMEMBERED_MS });
    let found: readonly Endpoint[] = [];
    try {
      found = await read;
      return found;
    } finally {
      if (found.length === 0 && this.#known.peek(tenantId)?.read === read) this.#known.delete(tenantId);
    }
  }
}
