import { AppError } from '../kernel/appError.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { isStopped, type BulkSend } from './bulkSend.ts';
import type { BulkSendStore } from './bulkSendStore.ts';

/** How often a change is tried when another one is faster. */
const TRIES = 3;

/**
 * Pauses, resumes or cancels a bulk send: one conditional write decides between this caller, others, and dispatch. From then on at
 * most the lines that a run of dispatch has in its hands become messages, and after a cancel dispatch cancels those too. Returns it
 * as it stands, also where it stood so before. Throws `bulk_send_over`, `change_conflict`.
 */
export async function changeBulkSend(
  { bulkSends, clock }: Pick<Surroundings, 'clock'> & { readonly bulkSends: Pick<BulkSendStore, 'find' | 'change'> },
  found: BulkSend,
  to: 'paused' | 'running' | 'cancelled',
): Promise<BulkSend> {
  let bulk: BulkSend | undefined = found;
  for (let attempt = 0; attempt < TRIES && bulk !== undefined; attempt++) {
    if (bulk.state === to) return bulk;
    if (isStopped(bulk)) {
      throw new AppError('bulk_send_over', {
        detail: `Only a bulk send that is running or paused can be changed. This one is ${bulk.state}.`,
      });
    }
    const nowMs = clock.nowMs();
    if ((await bulkSends.change(bulk, to, nowMs)) === 'changed') {
      return { ...bulk, state: to, changes: bulk.changes + 1, changedAtMs: nowMs };
    }
    bulk = await bulkSends.find(bulk.connectionId, bulk.bulkSendId);
  }
  throw new AppError('change_conflict', { retryAfterSeconds: 1 });
}
