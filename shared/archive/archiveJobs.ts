import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import type { TransactionWrite } from '../message/messageWrites.ts';
import {
  ARCHIVE_JOB_PREFIX,
  archiveJobKey,
  archivePartition,
  DUE_ARCHIVES,
  dueArchiveKey,
  firstDueArchive,
  type ArchiveJobId,
} from '../platform/archiveKeys.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { firstOf, queryItems, readPage, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { ArchiveJob, ErasureJob, ExportJob } from './archiveJob.ts';

/** A job that is to be looked at. */
export interface DueJob {
  readonly tenantId: TenantId;
  readonly jobId: ArchiveJobId;
  readonly dueAtMs: number;
}

/** The beginnings of the ids of the jobs that are listed. */
const listed = { export: 'exp_', erasure: 'ers_' } as const;
interface Listed {
  readonly export: ExportJob;
  readonly erasure: ErasureJob;
}

/**
 * The jobs of the archive function. Each has a row, which its tenant reads, and one in the list of what is due; both are written together. A job is
 * changed on the condition that it is as it was read, so that of two that work it at once one comes further.
 */
export class ArchiveJobs {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #nowMs: () => number;

  constructor(given: {
    readonly table: DynamoDBDocumentClient;
    readonly stage: string;
    readonly clock: { readonly nowMs: () => number };
  }) {
    this.#table = given.table;
    this.#TableName = tableName(given.stage, 'core');
    this.#nowMs = given.clock.nowMs;
  }

  /** The writes of a new job. Condition: there is none with its id. */
  writesOf(job: ArchiveJob): readonly TransactionWrite[] {
    const TableName = this.#TableName;
    return [
      { Put: { TableName, Item: this.#toItem(job), ConditionExpression: 'attribute_not_exists(pk)' } },
      { Put: { TableName, Item: toDueItem(job, this.#nowMs()) } },
    ];
  }

  async create<Job extends ArchiveJob>(job: Job): Promise<Job | 'there'> {
    return (await this.#transact(this.writesOf(job))) ? job : 'there';
  }

  /** Reads a job, strongly consistent. */
  async find(tenantId: TenantId, jobId: ArchiveJobId): Promise<ArchiveJob | undefined> {
    const { Item } = await this.#table.send(
      new GetCommand({ TableName: this.#TableName, Key: archiveJobKey(tenantId, jobId), ConsistentRead: true }),
    );
    return Item === undefined || isExpired(Item, this.#nowMs()) ? undefined : toJob(Item);
  }

  /** A page of the exports or erasures of a tenant, newest first. @param page.before the id of the last one of the page before */
  async list<Kind extends keyof Listed>(
    tenantId: TenantId,
    kind: Kind,
    page: { readonly before: ArchiveJobId | undefined; readonly limit: number },
  ): Promise<{ readonly jobs: readonly Listed[Kind][]; readonly next: ArchiveJobId | undefined }> {
    const items = queryItems(
      this.#table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: {
          ':pk': archivePartition(tenantId),
          ':prefix': `${ARCHIVE_JOB_PREFIX}${listed[kind]}`,
        },
        ScanIndexForward: false,
        ConsistentRead: true,
      },
      {
        after: page.before && { ...archiveJobKey(tenantId, page.before) },
        pageSize: page.limit + 1,
      },
    );
    const nowMs = this.#nowMs();
    const { shown, last } = await readPage(items, {
      limit: page.limit,
      show: (item) => (isExpired(item, nowMs) ? undefined : (toJob(item) as Listed[Kind])),
    });
    return { jobs: shown, next: last?.['jobId'] as ArchiveJobId | undefined };
  }

  /** Lists what is due now, the longest first. */
  async listDue(most: number): Promise<readonly DueJob[]> {
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND sk < :end',
      ExpressionAttributeValues: { ':pk': DUE_ARCHIVES, ':end': firstDueArchive(this.#nowMs() + 1) },
      ConsistentRead: true,
    });
    return (await firstOf(items, most)) as unknown as readonly DueJob[];
  }

  /**
   * Changes a job, and makes some writes with it. Condition: it is as it was read, and theirs.
   * Returns the job as it is then; `changed` where the condition does not hold.
   */
  async change<Job extends ArchiveJob>(
    job: Job,
    set: Partial<Omit<Job, 'tenantId' | 'jobId' | 'kind' | 'version'>>,
    beside: readonly TransactionWrite[] = [],
  ): Promise<Job | 'changed'> {
    const next = { ...job, ...set, version: job.version + 1 };
    const Put = { TableName: this.#TableName, Item: this.#toItem(next), ...asRead(job) };
    const moved: readonly TransactionWrite[] =
      next.dueAtMs === job.dueAtMs
        ? []
        : [
            { Delete: { TableName: this.#TableName, Key: dueKeyOf(job) } },
            { Put: { TableName: this.#TableName, Item: toDueItem(next, this.#nowMs()) } },
          ];
    return (await this.#transact([{ Put }, ...moved, ...beside])) ? next : 'changed';
  }

  /** Removes a job, and makes some writes with it. Condition: it is as it was read, and theirs. */
  async end(job: ArchiveJob, beside: readonly TransactionWrite[] = []): Promise<'ended' | 'changed'> {
    const TableName = this.#TableName;
    const Key = { ...archiveJobKey(job.tenantId, job.jobId) };
    const isDone = await this.#transact([
      { Delete: { TableName, Key, ...asRead(job) } },
      { Delete: { TableName, Key: dueKeyOf(job) } },
      ...beside,
    ]);
    return isDone ? 'ended' : 'changed';
  }

  /** Removes what says that a job is due which is not there. It has no condition: what is not there needs no removal. */
  async forget(due: DueJob): Promise<void> {
    await this.#transact([{ Delete: { TableName: this.#TableName, Key: dueKeyOf(due) } }]);
  }

  #toItem(job: ArchiveJob): Item {
    const kept = staysUntilEnded(job.jobId) ? {} : { ttl: expiryOf('archiveJob', this.#nowMs()) };
    return { ...archiveJobKey(job.tenantId, job.jobId), ...job, ...kept };
  }

  async #transact(TransactItems: readonly TransactionWrite[]): Promise<boolean> {
    try {
      await this.#table.send(new TransactWriteCommand({ TransactItems: [...TransactItems] }));
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) return false;
      throw error;
    }
  }
}

function asRead({ version }: ArchiveJob) {
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': version },
  };
}

function dueKeyOf({ tenantId, jobId, dueAtMs }: DueJob) {
  return { ...dueArchiveKey(tenantId, jobId, dueAtMs) };
}

function toDueItem({ tenantId, jobId, dueAtMs }: DueJob, nowMs: number): Item {
  const kept = staysUntilEnded(jobId) ? {} : { ttl: expiryOf('archiveJob', Math.max(dueAtMs, nowMs)) };
  return { ...dueArchiveKey(tenantId, jobId, dueAtMs), tenantId, jobId, dueAtMs, ...kept };
}

/** Whether a job is there until it is ended: a schedule, and the deletion of a tenant, which never gives up. */
function staysUntilEnded(jobId: ArchiveJobId): boolean {
  return jobId === 'schedule' || jobId === 'deletion';
}

function toJob({ pk: _pk, sk: _sk, ttl: _ttl, ...job }: Item): ArchiveJob {
  return job as unknown as ArchiveJob;
}
