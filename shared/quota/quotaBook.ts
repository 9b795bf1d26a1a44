import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LRUCache } from 'lru-cache';
import { withDeadline } from '../kernel/deadline.ts';
import { deadlines } from '../kernel/deadlines.ts';
import type { TenantId } from '../kernel/id.ts';
import { quotaTermsKey } from '../platform/quotaKeys.ts';
import { quotasOf, type Plans, type QuotaTerms } from '../platform/planConfig.ts';
import { quotaNames, quotaRows, type QuotaChoices, type Quotas } from '../platform/quotaRows.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { tableName } from '../platform/tables.ts';

export interface QuotaBookDependencies extends Pick<Surroundings, 'logger'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly plans: Plans;
}

/** The terms of a tenant as they are stored. */
export interface StoredTerms extends QuotaTerms {
  /** The number of their changes: 0 before the first. */
  readonly version: number;
}

/** How long the quotas of a tenant are remembered, in milliseconds: as long as a key. A change acts after that time everywhere. */
const REMEMBERED_MS = 25_000;
const REMEMBERED_TENANTS = 10_000;

/** What tenants may have and do: what an operator has chosen, over the plans of the configuration. */
export class QuotaBook {
  readonly #dependencies: QuotaBookDependencies;
  readonly #TableName: string;
  readonly #known = new LRUCache<TenantId, Quotas>({ max: REMEMBERED_TENANTS, ttl: REMEMBERED_MS, allowStale: true });

  constructor(dependencies: QuotaBookDependencies) {
    this.#dependencies = dependencies;
    this.#TableName = tableName(dependencies.stage, 'core');
  }

  /**
   * The quotas of a tenant, remembered for a while. Never rejects: where they cannot be read those from before hold, or those of the plan
   * that tenants usually have.
   */
  async find(tenantId: TenantId): Promise<Quotas> {
    const stale = this.#known.get(tenantId, { allowStale: true, noDeleteOnStaleGet: true });
    if (stale !== undefined && this.#known.getRemainingTTL(tenantId) > 0) return stale;
    const { logger, plans } = this.#dependencies;
    try {
      const terms = await withDeadline('the quotas of a tenant', deadlines.quotaTerms.ms, () =>
        this.#read(tenantId, false),
      );
      const quotas = quotasOf(plans, terms);
      this.#known.set(tenantId, quotas);
      return quotas;
    } catch (error) {
      logger.warn('the quotas of a tenant could not be read', { tenantId, error });
      return stale ?? quotasOf(plans, { plan: undefined, own: {} });
    }
  }

  /** Reads what was chosen for a tenant, strongly. */
  read(tenantId: TenantId): Promise<StoredTerms> {
    return this.#read(tenantId, true);
  }

  /** Stores what is chosen for a tenant. Condition: nothing has changed since `seen` was read. */
  async write(tenantId: TenantId, terms: QuotaTerms, seen: number): Promise<'written' | 'changed'> {
    const version = seen + 1;
    try {
      await this.#dependencies.table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: { ...quotaTermsKey(tenantId), plan: terms.plan, own: terms.own, version },
          ConditionExpression: seen === 0 ? 'attribute_not_exists(pk)' : 'version = :seen',
          ...(seen === 0 ? {} : { ExpressionAttributeValues: { ':seen': seen } }),
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return 'changed';
    }
    this.#known.delete(tenantId);
    return 'written';
  }

  async #read(tenantId: TenantId, ConsistentRead: boolean): Promise<StoredTerms> {
    const { Item = {} } = await this.#dependencies.table.send(
      new GetCommand({ TableName: this.#TableName, Key: quotaTermsKey(tenantId), ConsistentRead }),
    );
    return {
      plan: Item['plan'] as string | undefined,
      own: choicesIn(Item['own']),
      version: (Item['version'] as number | undefined) ?? 0,
    };
  }
}

/** The numbers that a row has and this release knows, within what its rows allow. */
function choicesIn(stored: unknown): QuotaChoices {
  const own = (stored ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    quotaNames.flatMap((name) => {
      const most = own[name];
      return typeof most === 'number' ? [[name, Math.min(most, quotaRows[name].ceiling)]] : [];
    }),
  );
}
