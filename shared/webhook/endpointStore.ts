import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  GetCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { EventType } from '../event/event.ts';
import { AppError } from '../kernel/appError.ts';
import { makeId, type EndpointId, type TenantId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import { ENDPOINT_PREFIX, endpointKey, tenantKey } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { urlRefusals, type AddressGuard } from '../platform/addressGuard.ts';
import { ENDPOINT_LIMIT, type Endpoint, type NewEndpoint } from './endpoint.ts';
import { CLOSED } from './endpointBreaker.ts';
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
   * the same transaction. Condition: fewer than ten. Throws `webhook_url_not_allowed`, `quota_exceeded` and
   * `store_unavailable`.
   */
  async create(guard: Pick<AddressGuard, 'refusalOf'>, tenantId: TenantId, given: NewEndpoint): Promise<Endpoint> {
    const refusal = await guard.refusalOf(given.url);
    if (refusal !== undefined) {
      const detail = urlRefusals[refusal];
      throw new AppError('webhook_url_not_allowed', { detail, fields: [{ field: 'url', problem: detail }] });
    }
    const { clock, random } = this.#dependencies;
    const createdAtMs = clock.nowMs();
    const endpoint: Endpoint = {
      tenantId,
      endpointId: makeId('end', createdAtMs, random),
      url: given.url,
      events: given.events,
      state: 'active',
      breaker: CLOSED,
      secret: new Secret(`${SECRET_PREFIX}${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')}`),
      createdAtMs,
    };
    try {
      await this.#writeCounted(endpoint);
    } catch (error) {
      if (!isRefusedBy(error, 0)) throw asBusy(error);
      throw new AppError('quota_exceeded', { detail: `A tenant may have at most ${ENDPOINT_LIMIT} webhooks.` });
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

  /** All endpoints of a tenant, in the order in which they were made, strongly consistent. There are at most ten. */
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

  /** Disables an endpoint whose receiver wants no more. Condition: the endpoint exists. */
  async disable(tenantId: TenantId, endpointId: EndpointId): Promise<'disabled' | 'missing'> {
    const written = await this.#update(tenantId, endpointId, {
      UpdateExpression: 'SET #state = :disabled',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':disabled': 'disabled' },
    });
    return written ? 'disabled' : 'missing';
  }

  /**
   * Makes an endpoint active and closes its breaker, because its tenant says that the receiver is back. Condition: the
   * endpoint exists.
   */
  async resume(tenantId: TenantId, endpointId: EndpointId): Promise<'resumed' | 'missing'> {
    const written = await this.#update(tenantId, endpointId, {
      UpdateExpression: 'SET #state = :active REMOVE openUntilMs, breakerFailures',
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

  async #writeCounted({ breaker: _closed, ...endpoint }: Endpoint): Promise<void> {
    await this.#dependencies.table.send(
      new TransactWriteCommand({
        TransactItems: [
          {
            Update: {
              TableName: this.#TableName,
              Key: tenantKey(endpoint.tenantId),
              UpdateExpression: 'ADD endpointCount :one',
              ConditionExpression:
                'attribute_exists(pk) AND (attribute_not_exists(endpointCount) OR endpointCount < :limit)',
              ExpressionAttributeValues: { ':one': 1, ':limit': ENDPOINT_LIMIT },
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

function toEndpoint(item: Record<string, unknown>): Endpoint {
  return {
    tenantId: item['tenantId'] as TenantId,
    endpointId: item['endpointId'] as EndpointId,
    url: item['url'] as string,
    events: item['events'] as readonly EventType[] | undefined,
    state: item['state'] as Endpoint['state'],
    secret: new Secret(item['secret'] as string),
    breaker: {
      failures: (item['breakerFailures'] as number | undefined) ?? 0,
      openUntilMs: item['openUntilMs'] as number | undefined,
    },
    createdAtMs: item['createdAtMs'] as number,
  };
}
