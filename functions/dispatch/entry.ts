import { ingestConfig } from '../../shared/platform/config.ts';
import { composeDispatch } from './composition.ts';

export const handler = composeDispatch(ingestConfig());
