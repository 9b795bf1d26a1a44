import type { CorrelationId, TenantId } from '../kernel/id.ts';
import type { DeletionJob } from './archiveJob.ts';

/** The deletion of a tenant that begins now. */
export function newDeletion(tenantId: TenantId, correlationId: CorrelationId, nowMs: number): DeletionJob {
  return {
    kind: 'deletion',
    jobId: 'deletion',
    tenantId,
    correlationId,
    createdAtMs: nowMs,
    dueAtMs: nowMs,
    progressAtMs: nowMs,
    version: 1,
    step: 'connections',
    removed: {},
  };
}
