import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type QueryCommandOutput,
  type ScanCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { testCases } from './contract.ts';
import { dynamoDbContract } from './dynamoDbContract.ts';
import { FakeDynamoDb, type TableChange } from './fakeDynamoDb.ts';

const TableName = 'test-core';

describe('the fake of DynamoDB', () => {
  const shared = new FakeDynamoDb({ unusedPlaceholders: 'refused' });
  const send = async (command: unknown): Promise<unknown> => shared.apply(command);
  testCases(dynamoDbContract, () => ({ send: send as DynamoDBDocumentClient['send'] }), []);

  it('throws on what it does not know, and changes nothing', () => {
    const fake = new FakeDynamoDb();
    const Key = { pk: 'a', sk: 'b' };
    const update = (UpdateExpression: string, ConditionExpression?: string) => () =>
      fake.apply(
        new UpdateCommand({
          TableName,
          Key,
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeValues: { ':v': [1], ':n': 1 },
        }),
      );

    for (const condition of [
      'size(a) > :n',
      'contains(a, :n)',
      'attribute_type(a, :n)',
      'a.b = :n',
      'a[0] = :n',
      'a == :n',
      'a = :n AND',
      'a = :n b = :n',
      'a',
      'if_not_exists(a, :n) = :n',
      'attribute_exists(:n)',
    ]) {
      expect(update('SET a = :n', condition)).toThrow('the fake does not know this expression');
    }
    for (const expression of [
      'SET a = list_append(:v, :v)',
      'DELETE a :v',
      'SET a.b = :n',
      'SET a = :n + :n + :n',
      'PUT a :n',
      'ADD a b',
    ]) {
      expect(update(expression)).toThrow('the fake does not know this expression');
    }
    expect(() => fake.apply({ input: {} })).toThrow('the fake does not know Object');
    expect(() => fake.apply(new PutCommand({ TableName, Item: { ...Key, set: new Set(['a']) } }))).toThrow(
      'the fake stores no value of this type',
    );
    expect(fake.items(TableName)).toEqual([]);
  });

  it('lists items in the order of their keys, as copies, and takes them away', () => {
    const fake = new FakeDynamoDb();
    for (const [pk, sk] of [
      ['b', '2'],
      ['a', '1'],
      ['b', '1'],
    ]) {
      fake.apply(new PutCommand({ TableName, Item: { pk, sk, list: [1] } }));
    }

    for (const item of fake.items(TableName)) (item['list'] as number[]).push(2);
    fake.remove(TableName, { pk: 'b', sk: '2' });

    expect(fake.items(TableName)).toEqual([
      { pk: 'a', sk: '1', list: [1] },
      { pk: 'b', sk: '1', list: [1] },
    ]);
    expect(fake.items('other')).toEqual([]);
  });

  it('tells watchers of each change, and of those of a transaction when it is done', () => {
    const fake = new FakeDynamoDb();
    const seen: (TableChange & { readonly others: number })[] = [];
    fake.watch((change) => seen.push({ ...change, others: fake.items(TableName).length }));
    const [one, two] = [
      { pk: 'a', sk: '1' },
      { pk: 'a', sk: '2' },
    ];

    const TransactItems = [one, two].map((Item) => ({ Put: { TableName, Item } }));
    fake.apply(new TransactWriteCommand({ TransactItems }));
    fake.apply(new DeleteCommand({ TableName, Key: one }));
    fake.apply(new DeleteCommand({ TableName, Key: one }));

    expect(seen).toEqual([
      { tableName: TableName, before: undefined, after: one, others: 2 },
      { tableName: TableName, before: undefined, after: two, others: 2 },
      { tableName: TableName, before: one, after: undefined, others: 1 },
    ]);
  });

  it('does a transaction once that arrives twice, as the SDK gives all tries of a command one token', () => {
    const fake = new FakeDynamoDb();
    const add = new TransactWriteCommand({
      TransactItems: [
        {
          Update: {
            TableName,
            Key: { pk: 'a', sk: '1' },
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': 1 },
          },
        },
      ],
    });

    fake.apply(add);
    fake.apply(add);
    fake.apply(new TransactWriteCommand(add.input));

    expect(fake.items(TableName)).toEqual([{ pk: 'a', sk: '1', n: 2 }]);
  });

  it('takes placeholders that are not used, unless it is told to be as strict as AWS', () => {
    const command = new UpdateCommand({
      TableName,
      Key: { pk: 'a', sk: '1' },
      UpdateExpression: 'SET n = :n',
      ExpressionAttributeValues: { ':n': 1, ':unused': 2 },
    });

    expect(() => new FakeDynamoDb().apply(command)).not.toThrow();
    expect(() => new FakeDynamoDb({ unusedPlaceholders: 'refused' }).apply(command)).toThrow(/unused in expressions/);
  });

  it('makes pages of some items, where AWS makes pages of one megabyte', () => {
    const fake = new FakeDynamoDb({ pageItems: 2 });
    for (const sk of ['1', '2', '3']) fake.apply(new PutCommand({ TableName, Item: { pk: 'a', sk } }));
    const query = { TableName, KeyConditionExpression: 'pk = :a', ExpressionAttributeValues: { ':a': 'a' } };

    const page = fake.apply(new QueryCommand(query)) as QueryCommandOutput;
    const limited = fake.apply(new QueryCommand({ ...query, Limit: 1 })) as QueryCommandOutput;
    const scanned = fake.apply(new ScanCommand({ TableName })) as ScanCommandOutput;

    expect(page.LastEvaluatedKey).toEqual({ pk: 'a', sk: '2' });
    expect(limited.Items).toEqual([{ pk: 'a', sk: '1' }]);
    expect(scanned.Items).toHaveLength(2);
    expect(fake.apply(new GetCommand({ TableName, Key: { pk: 'a', sk: '3' } }))).toMatchObject({ Item: { sk: '3' } });
  });
});
