import { ingestConfig } from '../../shared/platform/config.ts';
import { composeDispatch } from './composition.ts';

/** A run is made each minute and has 55 s: it ends well before the next. */
const BULK_ROUNDS_MS = 40_000;

export const handler = composeDispatch(ingestConfig(), { bulkRoundsMs: BULK_ROUNDS_MS });
