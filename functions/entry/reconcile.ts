import { ingestConfig } from '../../shared/platform/config.ts';
import { composeReconcile } from '../reconcileComposition.ts';

export const handler = composeReconcile(ingestConfig());
