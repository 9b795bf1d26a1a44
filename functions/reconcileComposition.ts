import type { IngestConfig } from '../shared/platform/config.ts';
import { thenFlush } from './functionMetrics.ts';
import { makeReconcileHandler } from './reconcile.ts';
import { composeStores } from './storeComposition.ts';

/** The reconcile function. */
export function composeReconcile(config: IngestConfig) {
  const parts = composeStores(config, 'reconcile');
  return thenFlush(parts.metrics, makeReconcileHandler(parts));
}
