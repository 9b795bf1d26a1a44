import type { QueueName } from '../../infra/access/processAccess.ts';
import { SHARD_INDEX, tableDefinitions, tableName } from '../../shared/platform/tables.ts';
import {
  commandQueueName,
  deliveryQueueName,
  slowDeliveryQueueName,
  eventQueueNames,
  mediaQueueName,
  queueDefinitions,
} from '../../shared/platform/queues.ts';

/** One permission that a call needs, as IAM checks it. */
export interface NeededPermission {
  /** For example `dynamodb:PutItem`. */
  readonly action: string;
  /** In the words of the table of access: `core`, `core/index/by-shard`, `commands`; else the name that was asked for. */
  readonly resource: string;
  /** Partition keys that are named: IAM's `dynamodb:LeadingKeys`. Empty where the action has none. */
  readonly keys: readonly string[];
}

type Body = Readonly<Record<string, unknown>>;
const record = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {});
const list = (value: unknown): readonly Body[] => (Array.isArray(value) ? value.map(record) : []);

/**
 * The permissions that a call needs. Source of the rules: AWS, "Actions, resources, and condition keys for Amazon DynamoDB"
 * "for Amazon SQS" and "for Amazon S3"; a transaction needs the permission of each write in it, a batch on queues that of the single call.
 * @param target header `x-amz-target`, for example `DynamoDB_20120810.PutItem` @param body of the request
 */
export function neededPermissions(stage: string, target: string, body: unknown): readonly NeededPermission[] {
  const [service = '', operation = ''] = target.split('.');
  if (service.startsWith('DynamoDB')) return ofTables(stage, operation, record(body));
  if (service === 'AmazonSQS') return [ofQueue(stage, operation, record(body))];
  if (service === 'S3') return [{ action: `s3:${objectActions[operation] ?? operation}`, resource: 'media', keys: [] }];
  return [{ action: target, resource: 'unknown', keys: [] }];
}

/** An upload in parts needs the permission of a whole one, and a look at an object that of reading it. */
const objectActions: Readonly<Record<string, string>> = {
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  ListParts: 'ListMultipartUploadParts',
  CompleteMultipartUpload: 'PutObject',
  HeadObject: 'GetObject',
};

const TRANSACTED = { Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', ConditionCheck: 'ConditionCheckItem' };

function ofTables(stage: string, operation: string, body: Body): readonly NeededPermission[] {
  switch (operation) {
    case 'TransactWriteItems':
      return list(body['TransactItems']).flatMap((item) =>
        Object.entries(item).map(([kind, write]) => {
          const action = TRANSACTED[kind as keyof typeof TRANSACTED] ?? kind;
          return onTable(stage, action, record(write), keyOf(record(write)));
        }),
      );
    case 'TransactGetItems':
      return list(body['TransactItems']).map((item) => {
        const read = record(item['Get']);
        return onTable(stage, 'GetItem', read, keyOf(read));
      });
    case 'BatchExecuteStatement':
      return list(body['Statements']).map((statement) => ofStatement(stage, statement));
    case 'BatchGetItem':
      return Object.entries(record(body['RequestItems'])).map(([TableName, asked]) =>
        onTable(stage, operation, { TableName }, list(record(asked)['Keys']).map(partitionKey)),
      );
    case 'BatchWriteItem':
      return Object.entries(record(body['RequestItems'])).map(([TableName, writes]) => {
        const keys = list(writes).map((write) => keyOf(record(write['PutRequest'] ?? write['DeleteRequest']))[0] ?? '');
        return onTable(stage, operation, { TableName }, keys);
      });
    case 'Query':
      return [onTable(stage, operation, body, [queriedKey(body)])];
    default:
      return [onTable(stage, operation, body, keyOf(body))];
  }
}

/** A statement of a batch needs the permission of what it does, on the item whose key it names. */
function ofStatement(stage: string, { Statement, Parameters }: Body): NeededPermission {
  const text = String(Statement);
  const TableName = /"([^"]+)"/.exec(text)?.[1];
  const before = text.slice(0, /'pk': \?|"pk" = \?/.exec(text)?.index);
  const place = before.split('?').length - 1;
  const action = text.startsWith('INSERT ') ? 'PartiQLInsert' : 'PartiQLUpdate';
  return onTable(stage, action, { TableName }, [String(list(Parameters)[place]?.['S'])]);
}

function onTable(stage: string, operation: string, body: Body, keys: readonly string[]): NeededPermission {
  const table = tableDefinitions.find(({ name }) => tableName(stage, name) === body['TableName'])?.name;
  const index = body['IndexName'];
  const resource = `${table ?? String(body['TableName'])}${typeof index === 'string' ? `/index/${index}` : ''}`;
  return { action: `dynamodb:${operation}`, resource, keys: [...new Set(keys)] };
}

/** The partition key of the item that a call names; none where it names no item. */
function keyOf(body: Body): readonly string[] {
  const named = body['Key'] ?? body['Item'];
  return named === undefined ? [] : [partitionKey(record(named))];
}

function partitionKey(key: Body): string {
  return String(record(key['pk'])['S']);
}

/** The value that the partition key must equal: one equation of the key condition names it. */
function queriedKey(body: Body): string {
  const names = record(body['ExpressionAttributeNames']);
  const values = record(body['ExpressionAttributeValues']);
  const wanted = body['IndexName'] === SHARD_INDEX.name ? SHARD_INDEX.partitionKey : 'pk';
  for (const [, name = '', value = ''] of String(body['KeyConditionExpression']).matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    if ((names[name] ?? name) === wanted) return String(record(values[value])['S']);
  }
  return 'unknown';
}

/** The batch of an action needs the permission of the action itself. */
function ofQueue(stage: string, operation: string, body: Body): NeededPermission {
  const name = String(body['QueueUrl']).split('/').at(-1) ?? '';
  return { action: `sqs:${operation.replace(/Batch$/, '')}`, resource: queueKind(stage, name) ?? name, keys: [] };
}

function queueKind(stage: string, name: string): QueueName | undefined {
  const kinds: Readonly<Record<string, 'events' | 'deliveries' | 'media'>> = {
    ...Object.fromEntries(eventQueueNames(stage, 64).map((queue) => [queue, 'events' as const])),
    [deliveryQueueName(stage)]: 'deliveries',
    [mediaQueueName(stage)]: 'media',
  };
  const shard = /-(\d{4})\.fifo$/.exec(name)?.[1];
  if (shard !== undefined && name === commandQueueName(stage, Number(shard))) return 'commands';
  const aliveName = queueDefinitions(stage, 1).find(({ deadLetter }) => deadLetter?.name === name)?.name;
  if (name === slowDeliveryQueueName(stage)) return 'slowDeliveries';
  if (aliveName === undefined) return kinds[name];
  return `${kinds[aliveName] ?? 'commands'}Dead`;
}
