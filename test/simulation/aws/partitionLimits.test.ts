import {
  BatchGetCommand,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type BatchGetCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { itemBytes, LimitedDynamoDb } from './partitionLimits.ts';

const TableName = 'test-core';
const key = (pk: string, sk = '1') => ({ pk, sk });
/** How many of some calls the table takes. */
function taken(store: LimitedDynamoDb, calls: number, command: (call: number) => unknown, nowMs: number): number {
  let count = 0;
  for (let call = 0; call < calls; call += 1) {
    try {
      store.apply(command(call), nowMs);
      count += 1;
    } catch (error) {
      if ((error as Error).name !== 'ProvisionedThroughputExceededException') throw error;
    }
  }
  return count;
}

describe('the fake of DynamoDB with the limits of a partition', () => {
  it('takes 1,000 write units of a key in any second, and those of other keys beside', () => {
    const store = new LimitedDynamoDb();
    const put = (pk: string) => (call: number) => new PutCommand({ TableName, Item: key(pk, String(call)) });

    expect(taken(store, 600, put('a'), 0)).toBe(600);
    expect(taken(store, 600, put('a'), 900)).toBe(400);
    expect(taken(store, 600, put('b'), 900)).toBe(600);
    expect(taken(store, 1_500, put('a'), 1_050)).toBe(600);
    expect(taken(store, 1_500, put('a'), 60_000)).toBe(1_000);
    expect(store.peaks.writes).toEqual({ key: 'a', units: 1_000 });
  });

  it('counts a unit for each kilobyte written, and for a condition that fails', () => {
    const store = new LimitedDynamoDb();
    const Item = { ...key('a'), text: 'x'.repeat(9 * 1_024) };

    expect(taken(store, 200, () => new PutCommand({ TableName, Item }), 0)).toBe(100);
    const refused = new UpdateCommand({
      TableName,
      Key: key('b'),
      UpdateExpression: 'SET n = :n',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':n': 1 },
    });
    expect(() => store.apply(refused, 0)).toThrow('conditional');
    expect(taken(store, 1_200, (call) => new PutCommand({ TableName, Item: key('b', String(call)) }), 0)).toBe(999);
  });

  it('takes 3,000 read units of a key in any second, one for each 4 KB', () => {
    const store = new LimitedDynamoDb();
    store.apply(new PutCommand({ TableName, Item: { ...key('a'), text: 'x'.repeat(40_000) } }), 0);

    expect(taken(store, 500, () => new GetCommand({ TableName, Key: key('a') }), 0)).toBe(300);
    expect(taken(store, 5_000, () => new GetCommand({ TableName, Key: key('none') }), 0)).toBe(3_000);
  });

  it('gives back what it does not take of a batch', () => {
    const store = new LimitedDynamoDb();
    taken(store, 3_000, () => new GetCommand({ TableName, Key: key('a') }), 0);
    const batch = new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [key('a'), key('b')] } } });

    const answer = store.apply(batch, 0) as BatchGetCommandOutput;

    expect(answer.UnprocessedKeys?.[TableName]?.Keys).toEqual([key('a')]);
    expect(store.throttled).toBe(1);
  });

  it('leaves nothing behind of a call that it throttles', () => {
    const store = new LimitedDynamoDb();
    const add = () =>
      new UpdateCommand({
        TableName,
        Key: key('a'),
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': 1 },
      });

    expect(taken(store, 1_300, add, 0)).toBe(1_000);
    expect(store.store.items(TableName)).toEqual([{ ...key('a'), n: 1_000 }]);
  });

  it('knows the size of an item', () => {
    expect(itemBytes({ pk: 'ab', n: 1_234, list: ['é', 'x'], none: true })).toBe(4 + 4 + (4 + 3 + 3 + 2) + 5);
  });
});
