import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  GetCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import { makeId, type EndpointId, type TenantId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import { ENDPOINT_PREFIX, endpointKey, tenantKey } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { usualQuotas } from '../platform/quotaRows.ts';
import { tableName } from '../platform/tables.ts';
import { urlRefusals, type AddressGuard } from '../platform/addressGuard.ts';
import type { Disabling, Endpoint, EndpointChange, NewEndpoint } from './endpoint.ts';
import { CLOSED } from './endpointBreaker.ts';
import { toEndpoint } from './endpointItem.ts';
import { SECRET_PREFIX } from './signature.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * The length of a signing secret. The secret is stored as it is: unlike an API key, which is only compared and so kept
 * as a hash, it must make signatures. It signs deliveries to this tenant and opens nothing; the table is encrypted at
 * rest.
 */
const SECRET_BYTES = 32;
/**
 * The least time between two tests of one endpoint, in milliseconds: a receiver that is not well must not be asked in a
 * loop.
 */
export const TEST_EVERY_MS = 3_000;
/** How long posts are signed with the secret before as well, in milliseconds: a day to bring the new one to all receivers. */
export const BOTH_SECRETS_MS = 24 * 3_600_000;

export interface EndpointStoreDependencies extends Pick<Surroundings, 'clock' | 'random'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Reads and writes of endpoints, each with its condition. */
export class EndpointStore {
  readonly #dependencies: EndpointStoreDependencies;
  readonly #TableName: string;

  constructor(dependencies: EndpointStoreDependencies) {
    this.#dependencies = dependencies;
    this.#TableName = tableName(dependencies.stage, 'core');
  }

  /**
   * Makes an endpoint with a new secret, for a tenant that exists. The endpoints of a tenant are counted on its record, in
   * the same transaction. Condition: fewer than `most`. Throws `webhook_url_not_allowed`, `quota_exceeded` and
   * `store_unavailable`.
   */
  async create(
    guard: Pick<AddressGuard, 'refusalOf'>,
    tenantId: TenantId,
    given: NewEndpoint,
    most = usualQuotas.webhooks,
  ): Promise<Endpoint> {
    await checkUrl(guard, given.url);
    const { clock, random } = this.#dependencies;
    const createdAtMs = clock.nowMs();
    const endpoint: Endpoint = {
      tenantId,
      endpointId: makeId('end', createdAtMs, random),
      url: given.url,
      events: given.events,
      connectionIds: given.connectionIds,
      chatKinds: given.chatKinds,
      headers: given.headers,
      batch: given.batch,
      order: given.order,
      state: 'active',
      breaker: CLOSED,
      secret: makeSecret(random),
      createdAtMs,
    };
    try {
      await this.#writeCounted(endpoint, most);
    } catch (error) {
      if (!isRefusedBy(error, 0)) throw asBusy(error);
      throw new AppError('quota_exceeded', {
        detail: `This tenant may have ${most} webhooks. Delete one, or ask the operator for more.`,
      });
    }
    return endpoint;
  }

  /** Finds one endpoint of a tenant, strongly consistent. Another tenant's is not found. */
  async find(tenantId: TenantId, endpointId: EndpointId): Promise<Endpoint | undefined> {
    const answer = await this.#dependencies.table.send(
      new GetCommand({ TableName: this.#TableName, Key: endpointKey(tenantId, endpointId), ConsistentRead: true }),
    );
    return answer.Item === undefined ? undefined : toEndpoint(answer.Item);
  }

  /** All endpoints of a tenant, in the order in which they were made, strongly consistent. There are a few. */
  async list(tenantId: TenantId): Promise<readonly Endpoint[]> {
    const items = queryItems(this.#dependencies.table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': tenantKey(tenantId).pk, ':prefix': ENDPOINT_PREFIX },
      ConsistentRead: true,
    });
    return (await allOf(items)).map(toEndpoint);
  }

  /** Removes an endpoint and its secret; deliveries under way find it gone and end. Condition: it exists. */
  async delete(tenantId: TenantId, endpointId: EndpointId): Promise<'deleted' | 'missing'> {
    try {
      await this.#dependencies.table.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Delete: {
                TableName: this.#TableName,
                Key: endpointKey(tenantId, endpointId),
                ConditionExpression: 'attribute_exists(pk)',
              },
            },
            {
              Update: {
                TableName: this.#TableName,
                Key: tenantKey(tenantId),
                UpdateExpression: 'ADD endpointCount :minusOne',
                ConditionExpression: 'attribute_exists(pk)',
                ExpressionAttributeValues: { ':minusOne': -1 },
              },
            },
          ],
        }),
      );
      return 'deleted';
    } catch (error) {
      if (isRefusedBy(error, 0)) return 'missing';
      throw asBusy(error);
    }
  }

  /**
   * Changes an endpoint: the next event goes by the change, and what waits goes to the new address. Condition: it exists.
   * Throws `webhook_url_not_allowed`.
   */
  async change(
    guard: Pick<AddressGuard, 'refusalOf'>,
    of: { readonly tenantId: TenantId; readonly endpointId: EndpointId },
    change: EndpointChange,
  ): Promise<'changed' | 'missing'> {
    if (change.url !== undefined) await checkUrl(guard, change.url);
    const fields = Object.entries(change).filter(([, value]) => value !== undefined);
    const [set, removed] = [fields.filter(([, value]) => value !== null), fields.filter(([, value]) => value === null)];
    const parts = [
      ...(set.length === 0 ? [] : [`SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}`]),
      ...(removed.length === 0 ? [] : [`REMOVE ${removed.map(([name]) => `#${name}`).join(', ')}`]),
    ];
    const written = await this.#update(of.tenantId, of.endpointId, {
      UpdateExpression: parts.join(' '),
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
      ...(set.length === 0
        ? {}
        : { ExpressionAttributeValues: Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])) }),
    });
    return written ? 'changed' : 'missing';
  }

  /**
   * Gives an endpoint a new secret; for {@link BOTH_SECRETS_MS} posts are signed with the one before, too. Condition: the
   * secret is still the one that was read, so that of two changes at once one is refused and no receiver is left behind.
   */
  async changeSecret({ tenantId, endpointId, secret }: Endpoint): Promise<Secret | 'changed_meanwhile'> {
    const { clock, random } = this.#dependencies;
    const next = makeSecret(random);
    const written = await this.#update(tenantId, endpointId, {
      UpdateExpression: 'SET secret = :next, previousSecret = :secret, previousSecretUntilMs = :until',
      ConditionExpression: 'secret = :secret',
      ExpressionAttributeValues: {
        ':next': next.reveal(),
        ':secret': secret.reveal(),
        ':until': clock.nowMs() + BOTH_SECRETS_MS,
      },
    });
    return written ? next : 'changed_meanwhile';
  }

  /**
   * Disables an endpoint: its receiver wants no more, or has taken nothing for days. Condition: it is active, and, where that is
   * the cause, has taken nothing since. So of several that would disable it one does, and tells.
   */
  async disable(
    tenantId: TenantId,
    endpointId: EndpointId,
    why: Omit<Disabling, 'isTold'>,
  ): Promise<'disabled' | 'not_now'> {
    const { because, atMs, connectionId, correlationId, failingSinceMs } = why;
    const written = await this.#update(tenantId, endpointId, {
      UpdateExpression: 'SET #state = :disabled, disabling = :why',
      ConditionExpression: `#state = :active${failingSinceMs === undefined ? '' : ' AND failingSinceMs = :since'}`,
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: {
        ':disabled': 'disabled',
        ':active': 'active',
        ':why': {
          because,
          atMs,
          connectionId,
          correlationId,
          ...(failingSinceMs === undefined ? {} : { failingSinceMs }),
        },
        ...(failingSinceMs === undefined ? {} : { ':since': failingSinceMs }),
      },
    });
    return written ? 'disabled' : 'not_now';
  }

  /** Records that it is told that an endpoint is disabled. Condition: it is as it was told. */
  async noteDisablingTold(
    tenantId: TenantId,
    endpointId: EndpointId,
    { atMs }: Pick<Disabling, 'atMs'>,
  ): Promise<void> {
    await this.#update(tenantId, endpointId, {
      UpdateExpression: 'SET disablingTold = :at',
      ConditionExpression: 'disabling.atMs = :at',
      ExpressionAttributeValues: { ':at': atMs },
    });
  }

  /**
   * Makes an endpoint active and closes its breaker, because its tenant says that the receiver is back. Condition: the
   * endpoint exists.
   */
  async resume(tenantId: TenantId, endpointId: EndpointId): Promise<'resumed' | 'missing'> {
    const written = await this.#update(tenantId, endpointId, {
      UpdateExpression:
        'SET #state = :active REMOVE openUntilMs, breakerFailures, failingSinceMs, disabling, disablingTold',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':active': 'active' },
    });
    return written ? 'resumed' : 'missing';
  }

  /** Takes the right to make one test. Condition: the last one was taken {@link TEST_EVERY_MS} ago or earlier. */
  async takeTest(tenantId: TenantId, endpointId: EndpointId): Promise<'taken' | 'too_soon'> {
    const nowMs = this.#dependencies.clock.nowMs();
    const written = await this.#update(tenantId, endpointId, {
      UpdateExpression: 'SET testedAtMs = :now',
      ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(testedAtMs) OR testedAtMs <= :before)',
      ExpressionAttributeValues: { ':now': nowMs, ':before': nowMs - TEST_EVERY_MS },
    });
    return written ? 'taken' : 'too_soon';
  }

  /** Updates an endpoint. Returns whether the condition was met. */
  async #update(
    tenantId: TenantId,
    endpointId: EndpointId,
    input: Omit<UpdateCommandInput, 'TableName' | 'Key'>,
  ): Promise<boolean> {
    try {
      const Key = endpointKey(tenantId, endpointId);
      await this.#dependencies.table.send(new UpdateCommand({ TableName: this.#TableName, Key, ...input }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #writeCounted({ breaker: _closed, previousSecret: _none, ...endpoint }: Endpoint, most: number): Promise<void> {
    await this.#dependencies.table.send(
      new TransactWriteCommand({
        TransactItems: [
          {
            Update: {
              TableName: this.#TableName,
              Key: tenantKey(endpoint.tenantId),
              UpdateExpression: 'ADD endpointCount :one',
              // Where none may be, a tenant that never had one is no exception.
              ConditionExpression: `attribute_exists(pk) AND (${most > 0 ? 'attribute_not_exists(endpointCount) OR ' : ''}endpointCount < :limit)`,
              ExpressionAttributeValues: { ':one': 1, ':limit': most },
            },
          },
          {
            Put: {
              TableName: this.#TableName,
              Item: {
                ...endpointKey(endpoint.tenantId, endpoint.endpointId),
                ...endpoint,
                secret: endpoint.secret.reveal(),
              },
              ConditionExpression: 'attribute_not_exists(pk)',
            },
          },
        ],
      }),
    );
  }
}

async function checkUrl(guard: Pick<AddressGuard, 'refusalOf'>, url: string): Promise<void> {
  const refusal = await guard.refusalOf(url);
  if (refusal === undefined) return;
  const detail = urlRefusals[refusal];
  throw new AppError('webhook_url_not_allowed', { detail, fields: [{ field: 'url', problem: detail }] });
}

function makeSecret(random: Surroundings['random']): Secret {
  return new Secret(`${SECRET_PREFIX}${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')}`);
}

function isRefusedBy(error: unknown, index: number): boolean {
  return (
    error instanceof TransactionCanceledException &&
    error.CancellationReasons?.[index]?.Code === 'ConditionalCheckFailed'
  );
}

/** DynamoDB refuses one of two changes of a tenant at the same instant, and the refused one may be tried again. */
function asBusy(error: unknown): unknown {
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
  if (!reasons.some((reason) => reason.Code === 'TransactionConflict')) return error;
  return new AppError('store_unavailable', { cause: error, retryAfterSeconds: 1 });
}
