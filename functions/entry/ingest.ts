import { ingestConfig } from '../../shared/platform/config.ts';
import { composeIngest } from '../eventComposition.ts';
import { makeIngestHandler } from '../ingest.ts';

export const handler = makeIngestHandler(composeIngest(ingestConfig()));
