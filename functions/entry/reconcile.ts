import { ingestConfig } from '../../shared/platform/config.ts';
import { composeReconcile } from '../eventComposition.ts';
import { makeReconcileHandler } from '../reconcile.ts';

export const handler = makeReconcileHandler(composeReconcile(ingestConfig()));
