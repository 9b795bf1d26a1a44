import { describe, expect, it } from 'vitest';
import { Ledger } from './judge.ts';
import { permissionsOf } from './permissions.ts';
import { neededPermissions } from './recordedCall.ts';

describe('what a call needs', () => {
  const pk = (value: string) => ({ pk: { S: value }, sk: { S: 'x' } });

  it.each([
    ['GetItem', { TableName: 'test-core', Key: pk('CON#1') }, [['dynamodb:GetItem', 'core', ['CON#1']]]],
    ['PutItem', { TableName: 'test-fleet', Item: pk('LEASE#1') }, [['dynamodb:PutItem', 'fleet', ['LEASE#1']]]],
    ['Scan', { TableName: 'test-fleet' }, [['dynamodb:Scan', 'fleet', []]]],
    ['GetItem', { TableName: 'other-core', Key: pk('CON#1') }, [['dynamodb:GetItem', 'other-core', ['CON#1']]]],
    [
      'Query',
      {
        TableName: 'test-core',
        KeyConditionExpression: '#sk > :from AND #pk = :pk',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':pk': { S: 'TENANT#1' }, ':from': { S: 'CON#' } },
      },
      [['dynamodb:Query', 'core', ['TENANT#1']]],
    ],
    [
      'Query',
      {
        TableName: 'test-core',
        IndexName: 'by-shard',
        KeyConditionExpression: 'shardKey = :shard',
        ExpressionAttributeValues: { ':shard': { S: 'SHARD#0001' } },
      },
      [['dynamodb:Query', 'core/index/by-shard', ['SHARD#0001']]],
    ],
    [
      'BatchGetItem',
      { RequestItems: { 'test-sessions': { Keys: [pk('SESSION#1'), pk('SESSION#2')] } } },
      [['dynamodb:BatchGetItem', 'sessions', ['SESSION#1', 'SESSION#2']]],
    ],
    [
      'BatchExecuteStatement',
      {
        Statements: [
          { Statement: `INSERT INTO "test-core" VALUE {'pk': ?, 'sk': ?}`, Parameters: [{ S: 'A' }, { S: 'sk' }] },
          {
            Statement: `UPDATE "test-core" SET "n" = ?, "m" = ? WHERE "pk" = ? AND "sk" = ? AND "n" < ?`,
            Parameters: [{ N: '1' }, { S: 'm' }, { S: 'B' }, { S: 'sk' }, { N: '1' }],
          },
        ],
      },
      [
        ['dynamodb:PartiQLInsert', 'core', ['A']],
        ['dynamodb:PartiQLUpdate', 'core', ['B']],
      ],
    ],
    [
      'BatchWriteItem',
      { RequestItems: { 'test-core': [{ PutRequest: { Item: pk('A') } }, { DeleteRequest: { Key: pk('B') } }] } },
      [['dynamodb:BatchWriteItem', 'core', ['A', 'B']]],
    ],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 'test-core', Item: pk('EVENTS#1') } },
          { ConditionCheck: { TableName: 'test-fleet', Key: pk('SHARD#1') } },
        ],
      },
      [
        ['dynamodb:PutItem', 'core', ['EVENTS#1']],
        ['dynamodb:ConditionCheckItem', 'fleet', ['SHARD#1']],
      ],
    ],
  ] as const)('%s of DynamoDB: the permission of each item that it touches', (operation, body, expected) => {
    const needed = neededPermissions('test', `DynamoDB_20120810.${operation}`, body);

    expect(needed.map(({ action, resource, keys }) => [action, resource, keys])).toEqual(expected);
  });

  it.each([
    ['SendMessage', 'test-command-0003.fifo', 'sqs:SendMessage', 'commands'],
    ['SendMessageBatch', 'test-events-00.fifo', 'sqs:SendMessage', 'events'],
    ['SendMessageBatch', 'test-media', 'sqs:SendMessage', 'media'],
    ['ReceiveMessage', 'test-media-dead', 'sqs:ReceiveMessage', 'mediaDead'],
    ['DeleteMessageBatch', 'test-deliveries', 'sqs:DeleteMessage', 'deliveries'],
    ['ReceiveMessage', 'test-command-dead.fifo', 'sqs:ReceiveMessage', 'commandsDead'],
    ['ReceiveMessage', 'test-events-dead.fifo', 'sqs:ReceiveMessage', 'eventsDead'],
    ['PurgeQueue', 'prod-deliveries', 'sqs:PurgeQueue', 'prod-deliveries'],
  ])('%s on %s: that of the single call, on the queue of the stage', (operation, queue, action, resource) => {
    const body = { QueueUrl: `http://127.0.0.1:1/000000000000/${queue}` };

    const needed = neededPermissions('test', `AmazonSQS.${operation}`, body);

    expect(needed).toEqual([{ action, resource, keys: [] }]);
  });
});

describe('what a call of S3 needs', () => {
  it.each([
    ['PutObject', 's3:PutObject'],
    ['UploadPart', 's3:PutObject'],
    ['ListParts', 's3:ListMultipartUploadParts'],
    ['HeadObject', 's3:GetObject'],
    ['DeleteObject', 's3:DeleteObject'],
    ['AbortMultipartUpload', 's3:AbortMultipartUpload'],
  ])('%s: that of the whole object', (operation, action) => {
    const needed = neededPermissions('test', `S3.${operation}`, undefined);

    expect(needed).toEqual([{ action, resource: 'media', keys: [] }]);
  });
});

describe('the verdict', () => {
  const permissions = permissionsOf({
    api: {
      tables: [
        { table: 'core', keys: ['CON#*'], actions: ['GetItem', 'PutItem'] },
        { table: 'fleet', actions: ['Scan'] },
      ],
      queues: [],
      objects: [],
      dataKeys: true,
    },
  });
  const call = (operation: string, key: string, caller = 'api') => ({
    caller,
    target: `DynamoDB_20120810.${operation}`,
    body: { TableName: 'test-core', Key: { pk: { S: key } } },
  });
  const judge = (calls: readonly ReturnType<typeof call>[], given: Parameters<Ledger['judge']>[0] = {}) => {
    const ledger = new Ledger('test', permissions);
    for (const each of calls) ledger.add(each);
    return ledger.judge(given);
  };

  it('names calls of another action, another key, another caller', () => {
    const calls = [
      call('GetItem', 'CON#1'),
      call('DeleteItem', 'CON#1'),
      call('GetItem', 'CONFIG'),
      call('GetItem', 'CON#1', 'stranger'),
    ];

    const { notAllowed } = judge(calls);

    expect([...notAllowed.keys()]).toEqual([
      'api dynamodb:DeleteItem core CON#*',
      'api dynamodb:GetItem core CONFIG',
      'stranger dynamodb:GetItem core CON#*',
    ]);
  });

  it('names what is allowed, not used, and not explained', () => {
    const { unexplained, explained } = judge([call('GetItem', 'CON#1')], {
      'api kms:Decrypt data key': { here: 'never', why: 'no KMS here' },
      'api dynamodb:Scan fleet': { here: 'seldom', why: 'chance' },
    });

    expect(unexplained).toEqual(['api dynamodb:PutItem core CON#*', 'api kms:GenerateDataKey data key']);
    expect(explained.map(({ permission }) => permission)).toEqual([
      'api dynamodb:Scan fleet',
      'api kms:Decrypt data key',
    ]);
  });

  it('refuses an explanation of what there is not, and of what is used although it is said never to be', () => {
    const { wrongExplanations } = judge([call('GetItem', 'CON#1')], {
      'api dynamodb:GetItem core CON#*': { here: 'never', why: 'wrong' },
      'api dynamodb:GetItem core OLD#*': { here: 'never', why: 'old' },
    });

    expect(wrongExplanations).toEqual([
      'api dynamodb:GetItem core CON#*: it was used',
      'api dynamodb:GetItem core OLD#*: there is no such permission',
    ]);
  });
});
