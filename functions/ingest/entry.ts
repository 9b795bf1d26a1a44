import { ingestConfig } from '../../shared/platform/config.ts';
import { composeIngest } from './composition.ts';

export const handler = composeIngest(ingestConfig());
