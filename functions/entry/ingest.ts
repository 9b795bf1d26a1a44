import { ingestConfig } from '../../shared/platform/config.ts';
import { composeIngest } from '../ingestComposition.ts';

export const handler = composeIngest(ingestConfig());
