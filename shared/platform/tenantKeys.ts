import type { ConnectionId, MediaId, TenantId } from '../kernel/id.ts';
import { archivePartition } from './archiveKeys.ts';
import { fileSettingsKey, type ItemKey } from './keys.ts';

/** The tenants whose connections and webhooks are being brought to how their tenant stands. */
export const TENANT_WORK = 'TENANT_WORK';
export const tenantWorkKey = (tenantId: TenantId): ItemKey => ({ pk: TENANT_WORK, sk: tenantId });

/** The connections that end with their tenant: their rows are found by these notes when their records are gone. */
export const ENDED_CONNECTION_PREFIX = 'CONNECTION#';
export const endedConnectionKey = (tenantId: TenantId, connectionId: ConnectionId): ItemKey => ({
  pk: archivePartition(tenantId),
  sk: `${ENDED_CONNECTION_PREFIX}${connectionId}`,
});

/**
 * The files of a tenant by which their rows and bytes are found when it is deleted: those that it brings, from when it brings them, and those of its messages from
 * when their messages go.
 */
export const TENANT_FILE_PREFIX = 'FILE#';
export const tenantFileKey = (tenantId: TenantId, mediaId: MediaId): ItemKey => ({
  pk: fileSettingsKey(tenantId).pk,
  sk: `${TENANT_FILE_PREFIX}${mediaId}`,
});
