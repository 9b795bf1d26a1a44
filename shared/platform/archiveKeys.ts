import type { ErasureId, ExportId, TenantId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** The keys of exports, of erasures of contacts, and of what says when something is to be done about them. */
export type ArchiveJobId = ExportId | ErasureId | 'schedule' | 'deletion';

/** What is to be done, of all tenants, in the order of its times. */
export const DUE_ARCHIVES = 'ARCHIVE';
export const dueArchiveKey = (tenantId: TenantId, jobId: ArchiveJobId, dueAtMs: number): ItemKey => ({
  pk: DUE_ARCHIVES,
  sk: `${firstDueArchive(dueAtMs)}${tenantId}#${jobId}`,
});
/** The least sort key of what is to be done at this time or later. */
export const firstDueArchive = (atMs: number): string => `${String(atMs).padStart(15, '0')}#`;

/** The exports and erasures of a tenant. */
export const archivePartition = (tenantId: TenantId): string => `ARCHIVE#${tenantId}`;
export const ARCHIVE_JOB_PREFIX = 'JOB#';
export const archiveJobKey = (tenantId: TenantId, jobId: ArchiveJobId): ItemKey => ({
  pk: archivePartition(tenantId),
  sk: `${ARCHIVE_JOB_PREFIX}${jobId}`,
});
/** The files of an export, in the order of their names. */
export const EXPORT_FILE_PREFIX = 'FILE#';
export const exportFilePrefix = (exportId: ExportId): string => `${EXPORT_FILE_PREFIX}${exportId}#`;
export const exportFileKey = (tenantId: TenantId, exportId: ExportId, name: string): ItemKey => ({
  pk: archivePartition(tenantId),
  sk: `${exportFilePrefix(exportId)}${name}`,
});
