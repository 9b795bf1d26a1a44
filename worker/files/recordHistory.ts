import { withDefaults, type ConnectionSettings } from '../../shared/connection/settings.ts';
import { askForHistory } from '../../shared/history/historyJob.ts';
import type { HistoryNotice, OwnAddresses } from '../../shared/history/historyNotice.ts';
import type { NoticeStore } from '../../shared/history/noticeStore.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';

export interface HistoryDependencies extends MediaQueue, Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly notices: Pick<NoticeStore, 'record'>;
  readonly assertOpen: () => void;
}

/**
 * Records what a phone tells of a history, and has it taken in. Nothing of it is fetched here, where messages wait.
 *
 * - *The process dies before the row*: no receipt has left, so WhatsApp brings the notice again.
 * - *It dies between the row and the queue*: the same; the row is found, and the queue gets the job.
 * - *It happens twice*: there is one row, and the second job finds what the first has done.
 * - *Store or queue refuse*: it rejects, and the socket is cut before the receipt.
 */
export async function recordHistory(
  { notices, clock, random, logger, assertOpen, ...queue }: HistoryDependencies,
  owned: OwnedConnection,
  settings: ConnectionSettings,
  told: { readonly notice: HistoryNotice; readonly own: OwnAddresses },
): Promise<void> {
  const { tenantId, connectionId, shard } = owned;
  const { notice, own } = told;
  const nowMs = clock.nowMs();
  assertOpen();
  await withDeadline(
    'recording a history',
    deadlines.publish.ms,
    async () => {
      const outcome = await notices.record({
        ...notice,
        tenantId,
        connectionId,
        shard,
        correlationId: makeId('cor', nowMs, random),
        policy: withDefaults(settings).history,
        own,
        recordedAtMs: nowMs,
      });
      const { noticeId, type, chunk, progress } = notice;
      logger.info('a phone tells of a history', { noticeId, type, chunk, progress, outcome });
      await askForHistory(queue, { tenantId, connectionId, noticeId });
    },
    clock,
  );
}
