import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { isAdminPath, makeAdminHandler } from '../../../functions/admin/handler.ts';
import { apiRoutes, makeApiHandler, type ApiDependencies } from '../../../functions/api/handler.ts';
import { problemsOf } from '../../../functions/http/problemsOf.ts';
import { makeRouter, type Router } from '../../../functions/http/route.ts';
import { composeAdmin } from '../../../functions/admin/composition.ts';
import { composeApi } from '../../../functions/api/composition.ts';
import { makeContext, type HttpHandler } from '../../../infra/local/gateway.ts';
import type { ConnectionAccount } from '../../../shared/connection/connection.ts';
import { createOperatorKey } from '../../../shared/identity/apiKey.ts';
import { parseId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import type { Command } from '../../../shared/message/command.ts';
import type { ObjectConfig } from '../../../shared/platform/objectConfig.ts';
import type { StoreConfig } from '../../../shared/platform/storeConfig.ts';
import { connectionKey } from '../../../shared/platform/keys.ts';
import { commandQueueName } from '../../../shared/platform/queues.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
  readonly bytes: Buffer;
}

export interface CallOptions {
  readonly key?: string | undefined;
  readonly body?: unknown;
  /** A body that is sent as it is. */
  readonly raw?: string;
  /** A body of bytes that may be no text. */
  readonly bytes?: Buffer;
  readonly headers?: Record<string, string>;
}

/** The API's handlers on the emulators, called with the events that API Gateway makes. */
export class ApiStack {
  readonly dependencies: ApiDependencies;
  readonly operatorKey: string;
  readonly #api: HttpHandler;
  readonly #admin: HttpHandler;
  readonly #router: Router;
  readonly #stop: () => Promise<void>;

  private constructor(
    dependencies: ApiDependencies,
    admin: HttpHandler,
    operatorKey: string,
    stop: () => Promise<void>,
  ) {
    this.dependencies = dependencies;
    this.operatorKey = operatorKey;
    this.#api = makeApiHandler(dependencies);
    this.#admin = admin;
    this.#router = makeRouter(apiRoutes(dependencies).all);
    this.#stop = stop;
  }

  /** @param reach how the functions reach the emulators; directly if left out */
  static async start(
    reach: (direct: StoreConfig) => Promise<Partial<StoreConfig & ObjectConfig>> = () => Promise.resolve({}),
  ): Promise<ApiStack> {
    const [dynamoDb, queues] = await Promise.all([startDynamoDb(), startQueues()]);
    await createTables(dynamoDb.endpoint, 'test');
    await createQueues(queues.endpoint, 'test', 2);
    const direct = aStoreConfig({ dynamoDb, queues });
    const config = { ...direct, ...(await reach(direct)) };
    const dependencies = composeApi(config, { streamUrl: '' });
    const admin = makeAdminHandler(composeAdmin(config)) as unknown as HttpHandler;
    const { secret } = await createOperatorKey(dependencies, { operatorRole: 'admin', by: 'test' });
    return new ApiStack(dependencies, admin, secret.reveal(), async () => {
      await Promise.all([dynamoDb.stop(), queues.stop()]);
    });
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** The same stack with other parts, for failures that emulators never give. */
  with(overrides: Partial<ApiDependencies>): Pick<ApiStack, 'call'> {
    const handler = makeApiHandler({ ...this.dependencies, ...overrides }) as unknown as HttpHandler;
    return { call: (method, path, options) => invoke(handler, method, path, options) };
  }

  /** The same stack with other parts of the operators' function. */
  withAdmin(overrides: Partial<ApiDependencies>): Pick<ApiStack, 'call'> {
    const handler = makeAdminHandler({ ...this.dependencies, ...overrides }) as unknown as HttpHandler;
    return { call: (method, path, options) => invoke(handler, method, path, options) };
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answered> {
    const [rawPath = ''] = path.split('?');
    const answered = await invoke(isAdminPath(rawPath) ? this.#admin : this.#api, method, path, options);
    assertListed(this.#router, method, rawPath, answered);
    return answered;
  }

  /** A new tenant with a key. */
  async tenant(): Promise<{ readonly tenantId: TenantId; readonly key: string }> {
    const tenant = await this.call('POST', '/v1/admin/tenants', { key: this.operatorKey, body: { name: 'Acme' } });
    const id = String(tenant.body['id']);
    const key = await this.call('POST', `/v1/admin/tenants/${id}/api-keys`, { key: this.operatorKey, body: {} });
    return { tenantId: parseId('tnt', id) as TenantId, key: String(key.body['secret']) };
  }

  /** A new connection, with a linked account if one is given. */
  async connection(
    owner: { readonly tenantId: TenantId; readonly key: string },
    account?: ConnectionAccount,
  ): Promise<ConnectionId> {
    const created = await this.call('POST', '/v1/connections', { key: owner.key, body: {} });
    const connectionId = parseId('con', String(created.body['id'])) as ConnectionId;
    if (account !== undefined) {
      await this.dependencies.connections.recordAccount({ tenantId: owner.tenantId, connectionId, token: 1 }, account);
    }
    return connectionId;
  }

  /** Changes the record of a connection, as something else would that happens to it; undefined takes a field away. */
  async change(
    owner: { readonly tenantId: TenantId },
    connectionId: ConnectionId,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const names = Object.keys(fields);
    const isTaken = (name: string): boolean => fields[name] === undefined;
    const set = names.filter((name) => !isTaken(name));
    await this.dependencies.table.send(
      new UpdateCommand({
        TableName: tableName('test', 'core'),
        Key: connectionKey(owner.tenantId, connectionId),
        UpdateExpression: [
          ...(set.length === 0 ? [] : [`SET ${set.map((name) => `#${name} = :${name}`).join(', ')}`]),
          ...(set.length === names.length
            ? []
            : [
                `REMOVE ${names
                  .filter(isTaken)
                  .map((name) => `#${name}`)
                  .join(', ')}`,
              ]),
        ].join(' '),
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ...(set.length === 0
          ? {}
          : { ExpressionAttributeValues: Object.fromEntries(set.map((name) => [`:${name}`, fields[name]])) }),
      }),
    );
  }

  /** Takes all commands out of the queues. */
  async takeCommands(): Promise<readonly Command[]> {
    const commands: Command[] = [];
    for (const shard of [0, 1]) {
      for (;;) {
        const { queue, queueUrlBase } = this.dependencies;
        const QueueUrl = `${queueUrlBase}${commandQueueName('test', shard)}`;
        const answer = await queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (!answer.Messages?.length) break;
        for (const { Body, ReceiptHandle } of answer.Messages) {
          commands.push(JSON.parse(Body ?? '') as Command);
          await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    }
    return commands;
  }
}

export const anAccount: ConnectionAccount = { phoneJid: '4915100000001@s.whatsapp.net', lid: undefined, name: 'Shop' };

/** Throws when an answer is a problem that the OpenAPI document does not list for its route. */
function assertListed(router: Router, method: string, path: string, { status, body }: Answered): void {
  const match = router(method === 'HEAD' ? 'GET' : method, path);
  if (match.outcome !== 'found' || status < 400 || typeof body['code'] !== 'string') return;
  const { route } = match;
  if (problemsOf(route).some((code) => code === body['code'])) return;
  throw new Error(
    `${route.method} ${route.path} answers ${body['code']}, and neither its form nor its \`problems\` say so.`,
  );
}

/** Calls a handler as API Gateway does. */
export async function invoke(
  handler: HttpHandler,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answered> {
  const result = await handler(toEvent(method, path, options), makeContext('test', 30_000));
  const bytes = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8');
  const isJson = String(result.headers?.['content-type']).includes('json');
  return {
    status: result.statusCode ?? 0,
    headers: result.headers ?? {},
    body: isJson && bytes.length > 0 ? (JSON.parse(bytes.toString()) as Record<string, unknown>) : {},
    bytes,
  };
}

/** An event of payload format 2.0, as API Gateway makes it. */
function toEvent(
  method: string,
  path: string,
  { key, body, raw, bytes, headers }: CallOptions,
): APIGatewayProxyEventV2 {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const text = bytes?.toString('base64') ?? raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(rawQueryString === ''
      ? {}
      : { queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)) }),
    requestContext: {
      http: { method, path: rawPath, sourceIp: '127.0.0.1' },
    } as APIGatewayProxyEventV2['requestContext'],
    ...(text === undefined ? {} : { body: text }),
    isBase64Encoded: bytes !== undefined,
  };
}
