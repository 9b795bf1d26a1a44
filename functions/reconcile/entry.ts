import { ingestConfig } from '../../shared/platform/config.ts';
import { composeReconcile } from './composition.ts';

export const handler = composeReconcile(ingestConfig());
