import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { ScheduledMessages } from '../../shared/message/scheduledMessages.ts';
import type { IngestConfig } from '../../shared/platform/config.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { composeStores } from '../runtime/storeComposition.ts';
import { makeDispatchHandler } from './handler.ts';

/** The dispatch function. */
export function composeDispatch(config: IngestConfig) {
  const parts = composeStores(config, 'dispatch');
  const connections = new ConnectionStore(parts);
  return thenFlush(
    parts.metrics,
    makeDispatchHandler({ ...parts, connections, scheduled: new ScheduledMessages(parts) }),
  );
}
