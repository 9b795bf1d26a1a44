import { LRUCache } from 'lru-cache';
import { AppError } from '../../shared/kernel/appError.ts';
import type { PairingLinkId } from '../../shared/kernel/id.ts';

/** How many requests may come by one link in a minute, in one process: four pages that each ask every two seconds. */
const VISITS = 120;
const WINDOW_MS = 60_000;
const REMEMBERED_LINKS = 10_000;

/** The requests that come by links to the pairing page. Each costs four reads, and whoever has a link may give it to others. */
export class LinkVisits {
  readonly #visits = new LRUCache<PairingLinkId, { count: number; readonly untilMs: number }>({
    max: REMEMBERED_LINKS,
  });

  /** Counts a request. Throws `too_many_requests` where too many came by the link in a minute. */
  count(linkId: PairingLinkId, nowMs: number): void {
    const visits = this.#visits.get(linkId);
    if (visits === undefined || visits.untilMs <= nowMs) {
      this.#visits.set(linkId, { count: 1, untilMs: nowMs + WINDOW_MS });
      return;
    }
    visits.count += 1;
    if (visits.count <= VISITS) return;
    const retryAfterSeconds = Math.ceil((visits.untilMs - nowMs) / 1_000);
    throw new AppError('too_many_requests', {
      detail: `More than ${VISITS} requests came by this link in a minute. Ask again in ${retryAfterSeconds} s.`,
      retryAfterSeconds,
    });
  }
}
