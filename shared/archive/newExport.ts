import type { CorrelationId, ErasureId, ExportId, TenantId } from '../kernel/id.ts';
import type { ErasureJob, ExportAsked, ExportJob } from './archiveJob.ts';
import { FIRST_ROWS, SEARCH } from './jobPlace.ts';

/** An export that begins now. Who is exported over all connections is looked for at all of them first. */
export function newExport(
  given: {
    readonly tenantId: TenantId;
    readonly exportId: ExportId;
    readonly correlationId: CorrelationId;
    readonly asked: ExportAsked;
    /** The addresses of the chat or the person, as far as they are known. */
    readonly names: readonly string[] | undefined;
    readonly keptDays: number;
    readonly isScheduled?: true;
  },
  nowMs: number,
): ExportJob {
  const { exportId: jobId, ...rest } = given;
  return {
    ...rest,
    kind: 'export',
    jobId,
    createdAtMs: nowMs,
    dueAtMs: nowMs,
    progressAtMs: nowMs,
    version: 1,
    state: 'running',
    place: given.asked.contact === undefined ? FIRST_ROWS : SEARCH,
    counts: {},
    parts: 0,
    bytes: 0,
  };
}

/** An erasure that begins now. */
export function newErasure(
  given: {
    readonly tenantId: TenantId;
    readonly erasureId: ErasureId;
    readonly correlationId: CorrelationId;
    /** The address of the person. */
    readonly contact: string;
  },
  nowMs: number,
): ErasureJob {
  const { erasureId: jobId, ...rest } = given;
  return {
    ...rest,
    kind: 'erasure',
    jobId,
    names: [given.contact],
    createdAtMs: nowMs,
    dueAtMs: nowMs,
    progressAtMs: nowMs,
    version: 1,
    state: 'running',
    place: SEARCH,
    removed: {},
    unfinished: 0,
    connections: 0,
  };
}

/** The first time of a schedule that is still to come. */
export function nextTime(dueAtMs: number, everyMs: number, nowMs: number): number {
  const passed = Math.floor(Math.max(0, nowMs - dueAtMs) / everyMs);
  return dueAtMs + (passed + 1) * everyMs;
}
