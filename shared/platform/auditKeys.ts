import type { AuditId, TenantId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** The owner of a trail: a tenant, or all operators together. */
export type AuditOwner = TenantId | 'OPERATORS';

export const auditPartition = (owner: AuditOwner): string => `AUDIT#${owner}`;

/** The two rows of an entry, in the order in which they are written: what was asked for, and how it ended. */
export type AuditHalf = 'asked' | 'ended';
const PLACES = { asked: 0, ended: 1 } as const satisfies Record<AuditHalf, number>;

export const auditKey = (owner: AuditOwner, auditId: AuditId, half: AuditHalf): ItemKey => ({
  pk: auditPartition(owner),
  sk: `${auditId}#${PLACES[half]}`,
});
