import { BulkLineStore } from '../../shared/bulk/bulkLineStore.ts';
import { BulkSendStore } from '../../shared/bulk/bulkSendStore.ts';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { Erasures } from '../../shared/media/erasures.ts';
import { ScheduledMessages } from '../../shared/message/scheduledMessages.ts';
import type { IngestConfig } from '../../shared/platform/config.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';
import { makeDispatchHandler } from './handler.ts';

/** The dispatch function. @param options.bulkRoundsMs how long a run goes on to look after bulk sends */
export function composeDispatch(config: IngestConfig, options: { readonly bulkRoundsMs: number }) {
  const parts = composeStores(config, 'dispatch');
  return thenFlush(
    parts.metrics,
    makeDispatchHandler({
      ...parts,
      connections: new ConnectionStore(parts),
      scheduled: new ScheduledMessages(parts),
      bulkSends: new BulkSendStore(parts),
      bulkLines: new BulkLineStore(parts),
      erasures: new Erasures(parts),
      ...options,
    }),
  );
}
