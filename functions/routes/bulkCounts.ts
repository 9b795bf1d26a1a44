import { LRUCache } from 'lru-cache';
import type { BulkCounts, BulkSend } from '../../shared/bulk/bulkSend.ts';
import type { BulkLineStore } from '../../shared/bulk/bulkLineStore.ts';
import type { BulkSendId } from '../../shared/kernel/id.ts';

/** How long counts are shown again, in milliseconds: a bulk send of 10,000 lines costs 900 read units to count. */
const REMEMBERED_MS = 5_000;
const REMEMBERED = 1_000;

/** The counts of bulk sends, counted at most once in five seconds by a process however often somebody asks. */
export class BulkCountsOnce {
  readonly #lines: Pick<BulkLineStore, 'count'>;
  readonly #known = new LRUCache<BulkSendId, { readonly of: BulkSend; readonly counts: Promise<BulkCounts> }>({
    max: REMEMBERED,
    ttl: REMEMBERED_MS,
  });

  constructor({ bulkLines }: { readonly bulkLines: Pick<BulkLineStore, 'count'> }) {
    this.#lines = bulkLines;
  }

  async of(bulk: BulkSend): Promise<BulkCounts> {
    const known = this.#known.get(bulk.bulkSendId);
    // A change of its state shows at once, and so does the end.
    if (known !== undefined && known.of.changes === bulk.changes) return known.counts;
    const counts = this.#lines.count(bulk);
    this.#known.set(bulk.bulkSendId, { of: bulk, counts });
    counts.catch(() => this.#known.delete(bulk.bulkSendId));
    return counts;
  }
}
