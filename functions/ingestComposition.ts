import type { IngestConfig } from '../shared/platform/config.ts';
import { thenFlush } from './functionMetrics.ts';
import { makeIngestHandler } from './ingest.ts';
import { composeStores } from './storeComposition.ts';

/** The ingest function. */
export function composeIngest(config: IngestConfig) {
  const parts = composeStores(config, 'ingest');
  return thenFlush(parts.metrics, makeIngestHandler(parts));
}
