import type { IngestConfig } from '../../shared/platform/config.ts';
import { thenFlush } from '../runtime/functionMetrics.ts';
import { makeReconcileHandler } from './handler.ts';
import { composeStores } from '../runtime/storeComposition.ts';

/** The reconcile function. */
export function composeReconcile(config: IngestConfig) {
  const parts = composeStores(config, 'reconcile');
  return thenFlush(parts.metrics, makeReconcileHandler(parts));
}
