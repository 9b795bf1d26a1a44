import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import {
  BatchExecuteStatementCommand,
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { bytesOf, fromStoredMap, toStoredMap, type StoredValue } from './itemValues.ts';

/**
 * The commands that our own calls carry (`storeCalls.ts`), as data: the name under which the service knows each. The
 * commands of DynamoDB hold items, which have a form of their own on the wire; those of SQS go as they are. Both
 * services speak JSON, version 1.0. Every other command takes the SDK's way.
 */
const dynamoDbCommands = new Map<unknown, string>([
  [GetCommand, 'GetItem'],
  [PutCommand, 'PutItem'],
  [UpdateCommand, 'UpdateItem'],
  [DeleteCommand, 'DeleteItem'],
  [QueryCommand, 'Query'],
  [ScanCommand, 'Scan'],
  [BatchExecuteStatementCommand, 'BatchExecuteStatement'],
  [BatchGetCommand, 'BatchGetItem'],
  [BatchWriteCommand, 'BatchWriteItem'],
  [TransactWriteCommand, 'TransactWriteItems'],
]);

const sqsCommands = new Map<unknown, string>([
  [SendMessageCommand, 'SendMessage'],
  [SendMessageBatchCommand, 'SendMessageBatch'],
  [ReceiveMessageCommand, 'ReceiveMessage'],
  [DeleteMessageCommand, 'DeleteMessage'],
  [DeleteMessageBatchCommand, 'DeleteMessageBatch'],
  [ChangeMessageVisibilityCommand, 'ChangeMessageVisibility'],
  [ChangeMessageVisibilityBatchCommand, 'ChangeMessageVisibilityBatch'],
]);

/** How the calls of a service look on the wire. */
export interface StoreProtocol {
  /** The name in signatures and addresses, for example `dynamodb`. */
  readonly service: 'dynamodb' | 'sqs';
  /** The name for people, for example `DynamoDB`. */
  readonly name: 'DynamoDB' | 'SQS';
  /** What stands before the name of an operation in the header `x-amz-target`. */
  readonly target: string;
  /** The name of the operation of each command, by the command's class. */
  readonly commands: ReadonlyMap<unknown, string>;
  readonly toWire: (input: unknown) => unknown;
  readonly fromWire: (output: unknown) => unknown;
}

export const dynamoDbProtocol: StoreProtocol = {
  service: 'dynamodb',
  name: 'DynamoDB',
  target: 'DynamoDB_20120810.',
  commands: dynamoDbCommands,
  toWire: (input) => convert(input, toStoredMap),
  fromWire: (output) => convert(output, fromItem),
};

export const sqsProtocol: StoreProtocol = {
  service: 'sqs',
  name: 'SQS',
  target: 'AmazonSQS.',
  commands: sqsCommands,
  toWire: refuseBytes,
  fromWire: readBytes,
};

/** The members that hold one item or a part of one, wherever they stand in a command or an answer of DynamoDB. */
const ITEMS: ReadonlySet<string> = new Set([
  'Item',
  'Key',
  'ExpressionAttributeValues',
  'ExclusiveStartKey',
  'Attributes',
  'LastEvaluatedKey',
]);
/** The members that hold several. */
const LISTS: ReadonlySet<string> = new Set(['Items', 'Keys']);
/** The answer of `BatchGetItem`: a list of items for each table. The answers to statements stand in one list. */
const BY_TABLE = 'Responses';
/** The values of a statement. */
const VALUES = 'Parameters';

type Fields = Readonly<Record<string, unknown>>;

function convert(value: unknown, each: (item: Fields) => Fields): unknown {
  if (Array.isArray(value)) return value.map((member) => convert(member, each));
  if (typeof value !== 'object' || value === null) return value;
  const converted: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    if (ITEMS.has(name)) converted[name] = each(member as Fields);
    else if (LISTS.has(name)) converted[name] = (member as readonly Fields[]).map(each);
    else if (name === VALUES) converted[name] = (member as readonly unknown[]).map((one) => each({ one })['one']);
    else if (name === BY_TABLE && !Array.isArray(member))
      converted[name] = mapValues(member as Fields, (items) => (items as readonly Fields[]).map(each));
    else converted[name] = convert(member, each);
  }
  return converted;
}

function fromItem(item: Fields): Fields {
  return fromStoredMap(item as Readonly<Record<string, StoredValue>>);
}

function mapValues(fields: Fields, map: (value: unknown) => unknown): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value)]));
}

interface WithAttributes {
  readonly MessageAttributes?: Readonly<Record<string, { readonly BinaryValue?: unknown }>>;
}

/** Our own messages have attributes of text only; base64 of others would have to be made here. */
function refuseBytes(input: unknown): unknown {
  const { Entries = [input] } = input as { readonly Entries?: readonly unknown[] };
  for (const entry of Entries) {
    const { MessageAttributes = {} } = entry as WithAttributes;
    for (const { BinaryValue } of Object.values(MessageAttributes)) {
      if (BinaryValue !== undefined) throw new TypeError('messages of ours have no binary attributes');
    }
  }
  return input;
}

/** A message that somebody else put into a queue may have binary attributes. */
function readBytes(output: unknown): unknown {
  const { Messages = [] } = output as { readonly Messages?: readonly WithAttributes[] };
  for (const { MessageAttributes = {} } of Messages) {
    for (const attribute of Object.values(MessageAttributes) as { BinaryValue?: unknown }[]) {
      if (typeof attribute.BinaryValue === 'string') attribute.BinaryValue = bytesOf(attribute.BinaryValue);
    }
  }
  return output;
}
