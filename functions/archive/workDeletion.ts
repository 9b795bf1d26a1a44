import type { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import type { ArchiveJob, DeletionJob } from '../../shared/archive/archiveJob.ts';
import { endLog } from '../../shared/event/endLog.ts';
import type { ConnectionId, MediaId, TenantId } from '../../shared/kernel/id.ts';
import { askToErase, eraseForGoodJobsOf } from '../../shared/media/eraseJob.ts';
import type { Erasures } from '../../shared/media/erasures.ts';
import { listTenantFiles } from '../../shared/media/fileNotes.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import { ARCHIVE_JOB_PREFIX, archivePartition } from '../../shared/platform/archiveKeys.ts';
import { CONNECTION_PREFIX, tenantKey } from '../../shared/platform/keys.ts';
import { queryItems, type Item } from '../../shared/platform/pages.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { ENDED_CONNECTION_PREFIX } from '../../shared/platform/tenantKeys.ts';
import { deletedWrites, progressWrite } from '../../shared/tenant/tenantDeleted.ts';
import { hasTenantWork } from '../../shared/tenant/tenantWork.ts';
import { removeTenantRows, type RemoveDependencies } from './removeTenantRows.ts';

export interface DeletionDependencies
  extends RemoveDependencies, MediaQueue, Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly jobs: Pick<ArchiveJobs, 'change' | 'end'>;
  readonly erasures: Pick<Erasures, 'beginForGood'>;
}

type Worked = DeletionJob | 'changed' | 'ended';
type Counts = DeletionJob['removed'];

/** The time after which it is looked again at what others have in hand, in milliseconds: the next run has it. */
const LOOK_AGAIN_MS = 1_000;
/** The time after which it is asked again for files that are still there, in milliseconds: longer than a job of the queue is tried at first. */
const ASK_AGAIN_MS = 300_000;
/** The most files that are asked to go at once. */
const FILES_AT_ONCE = 2_000;
/** The time without progress after which a deletion is counted as one that stands still. */
const STUCK_AFTER_MS = 3_600_000;

/**
 * Does the next step of the deletion of a tenant (docs/tenants.md, "Deleted"). Each of them looks at what is there, and does what is left; so whoever dies anywhere
 * leaves the rest to the next run, and what is done twice comes to the same.
 *
 * 1. *connections*: reconcile has them end, each by its owner, which unlinks it at WhatsApp. When none is there the log is ended: facts are dropped from here on.
 * 2. *conversations*: dispatch removes the rows of each, twice with ten minutes between, and notes their files. It says on the note of the connection that it is done.
 * 3. *files*: the media function removes them, and forgets the note of each when nothing of it is left.
 * 4. *rows*: all else goes; at last the tenant says that it was deleted, in one write with the end of this job.
 */
export async function workDeletion(
  dependencies: DeletionDependencies,
  job: DeletionJob,
  mayGoOn: () => boolean,
): Promise<Worked> {
  switch (job.step) {
    case 'connections':
      return endConnections(dependencies, job);
    case 'conversations':
      return eraseConversations(dependencies, job);
    case 'files':
      return eraseFiles(dependencies, job);
    case 'rows':
      return removeRows(dependencies, job, mayGoOn);
    default:
      return job.step satisfies never;
  }
}

async function endConnections(dependencies: DeletionDependencies, job: DeletionJob): Promise<Worked> {
  const { tenantId } = job;
  await endOtherJobs(dependencies, tenantId);
  const { pk } = tenantKey(tenantId);
  const left = (await Array.fromAsync(rowsOf(dependencies, pk, CONNECTION_PREFIX))).length;
  // Reconcile makes a pass until none is there, and for longer than a request may have that was let in before.
  if (left > 0 || (await hasTenantWork(dependencies, tenantId))) return wait(dependencies, job, { left });
  await endLog(dependencies, tenantId);
  return go(dependencies, job, { step: 'conversations', left: undefined });
}

/** Ends what else the archive function does for the tenant: exports go with their files, and nothing is made by a schedule any more. */
async function endOtherJobs(dependencies: DeletionDependencies, tenantId: TenantId): Promise<void> {
  const { jobs, clock } = dependencies;
  for await (const row of rowsOf(dependencies, archivePartition(tenantId), ARCHIVE_JOB_PREFIX)) {
    const job = row as unknown as ArchiveJob;
    if (job.kind === 'schedule') await jobs.end(job);
    if (job.kind !== 'export' || job.state === 'deleting') continue;
    const { pk: _pk, sk: _sk, ttl: _ttl, ...kept } = row;
    await jobs.change(kept as unknown as typeof job, { state: 'deleting', dueAtMs: clock.nowMs() });
  }
}

async function eraseConversations(dependencies: DeletionDependencies, job: DeletionJob): Promise<Worked> {
  const { erasures, clock } = dependencies;
  const { tenantId, correlationId } = job;
  const removed: Record<string, number> = {};
  let [left, seen] = [0, 0];
  for await (const { pk: _pk, sk: _sk, connectionId, isErased, ...counts } of notesOf(dependencies, tenantId)) {
    removed['connections'] = (removed['connections'] ?? 0) + 1;
    for (const [kind, count] of Object.entries(counts)) {
      removed[kind] = (removed[kind] ?? 0) + Number(count);
      seen += Number(count);
    }
    if (isErased === true) continue;
    left += 1;
    const erasure = { tenantId, connectionId: connectionId as ConnectionId, correlationId, forGood: true } as const;
    await erasures.beginForGood(erasure, clock.nowMs());
  }
  if (left > 0) return wait(dependencies, job, { left, seen });
  return go(dependencies, job, { step: 'files', left: undefined, removed });
}

async function eraseFiles(dependencies: DeletionDependencies, job: DeletionJob): Promise<Worked> {
  const { clock } = dependencies;
  const { tenantId, asked, removed } = job;
  const found = await listTenantFiles(dependencies, tenantId, FILES_AT_ONCE);
  const last = found.at(-1);
  if (last === undefined) return go(dependencies, job, { step: 'rows', left: undefined, asked: undefined });
  const isAsked = asked !== undefined && (found[0] ?? last) <= asked.last;
  if (isAsked && clock.nowMs() - asked.atMs < ASK_AGAIN_MS) return wait(dependencies, job, { left: found.length });
  await askToErase(dependencies, eraseForGoodJobsOf(tenantId, found));
  const isNew = (id: MediaId): boolean => asked === undefined || id > asked.last;
  const files = (removed['files'] ?? 0) + found.filter(isNew).length;
  return wait(dependencies, job, {
    left: found.length,
    asked: { atMs: clock.nowMs(), last },
    removed: { ...removed, files },
  });
}

async function removeRows(
  dependencies: DeletionDependencies,
  job: DeletionJob,
  mayGoOn: () => boolean,
): Promise<Worked> {
  const { jobs, clock, metrics, logger, stage } = dependencies;
  const { tenantId, correlationId } = job;
  const connectionIds = await Array.fromAsync(notesOf(dependencies, tenantId), (note) => note['connectionId']);
  const done = await removeTenantRows(dependencies, job, connectionIds as ConnectionId[], mayGoOn);
  const removed = add(job.removed, done.removed);
  if (!done.isAll) return change(dependencies, job, { removed, progressAtMs: clock.nowMs() });
  const receipt = { deletedAtMs: clock.nowMs(), removed };
  const ended = await jobs.end(job, deletedWrites(stage, { tenantId, sinceMs: job.createdAtMs }, receipt));
  if (ended === 'changed') return ended;
  metrics.count('ArchiveJobsEnded', { outcome: 'tenant_deleted' });
  logger.info('a tenant was deleted', { tenantId, correlationId, removed });
  return ended;
}

/** Passes to the next step. */
function go(
  dependencies: DeletionDependencies,
  job: DeletionJob,
  next: Partial<Pick<DeletionJob, 'step' | 'left' | 'asked' | 'removed'>>,
): Promise<DeletionJob | 'changed'> {
  const nowMs = dependencies.clock.nowMs();
  return change(dependencies, job, { ...next, seen: undefined, dueAtMs: nowMs, progressAtMs: nowMs });
}

/** Leaves a job until others are further. What stands still for an hour is counted, and said. */
async function wait(
  dependencies: DeletionDependencies,
  job: DeletionJob,
  now: Partial<Pick<DeletionJob, 'left' | 'seen' | 'asked' | 'removed'>>,
): Promise<DeletionJob | 'changed'> {
  const { clock, metrics, logger } = dependencies;
  const nowMs = clock.nowMs();
  const isFurther = now.left !== job.left || now.seen !== job.seen;
  const progressAtMs = isFurther ? nowMs : job.progressAtMs;
  const { tenantId, correlationId, step } = job;
  if (nowMs - progressAtMs >= STUCK_AFTER_MS) {
    metrics.count('ArchiveStuck', {});
    logger.error('the deletion of a tenant stands still', { tenantId, correlationId, step, count: now.left });
  }
  return change(dependencies, job, { ...now, progressAtMs, dueAtMs: nowMs + LOOK_AGAIN_MS });
}

/** Writes down how far a job is, and in the same write what its tenant says of that. */
function change(
  { jobs, stage }: DeletionDependencies,
  job: DeletionJob,
  set: Partial<Omit<DeletionJob, 'tenantId' | 'jobId' | 'kind' | 'version'>>,
): Promise<DeletionJob | 'changed'> {
  const { step, left, removed, progressAtMs: atMs } = { ...job, ...set };
  const progress = { step, removed, atMs, ...(left === undefined ? {} : { left }) };
  return jobs.change(job, set, [progressWrite(stage, job.tenantId, progress)]);
}

/** The notes of the connections that ended with the tenant. */
function notesOf(dependencies: DeletionDependencies, tenantId: TenantId): AsyncGenerator<Item> {
  return rowsOf(dependencies, archivePartition(tenantId), ENDED_CONNECTION_PREFIX);
}

function rowsOf({ table, stage }: DeletionDependencies, pk: string, prefix: string): AsyncGenerator<Item> {
  return queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
    ConsistentRead: true,
  });
}

export function add(one: Counts, other: Counts): Counts {
  const kinds = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...kinds].map((kind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)]));
}
