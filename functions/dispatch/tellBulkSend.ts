import type { BulkCounts, BulkSend } from '../../shared/bulk/bulkSend.ts';
import { toShownCounts } from '../../shared/bulk/bulkSendView.ts';
import { bulkSendKeyOf } from '../../shared/event/facts/bulkSendFact.ts';
import { publishFact, type FactQueue } from '../../shared/event/publishFact.ts';

/** Tells the present state of a bulk send, when the rows of the messages already say what it counts. */
export async function tellBulkSend(queue: FactQueue, bulk: BulkSend, counts: BulkCounts): Promise<void> {
  const { bulkSendId, changes, changedAtMs, state, total } = bulk;
  await publishFact(queue, bulk, {
    kind: 'bulk_send',
    key: bulkSendKeyOf(bulkSendId, changes),
    atMs: changedAtMs,
    bulkSendId,
    status: state,
    total,
    counts: toShownCounts(counts),
  });
}
