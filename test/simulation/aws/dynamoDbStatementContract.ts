import { BatchExecuteStatementCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { toStatement } from '../../../shared/platform/writeStatement.ts';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, everyType, put, read, type DynamoDbCase, type DynamoDbUnderTest } from './dynamoDbUnderTest.ts';

type Write = Parameters<typeof toStatement>[0];

/** The outcomes of the writes of one call: the code of the error, or `done`. */
async function execute(service: DynamoDbUnderTest, writes: readonly Write[]): Promise<readonly string[]> {
  const answer = await service.send(new BatchExecuteStatementCommand({ Statements: writes.map(toStatement) }));
  return (answer.Responses ?? []).map(({ Error: error }) => error?.Code ?? 'done');
}

const insert = (Item: Record<string, unknown>): Write => ({ Put: { TableName: CORE, Item } });

/** Moves an item to a number, if it has a smaller one, no mark, and no fence above 3. */
const move = (Key: { readonly pk: string; readonly sk: string }, n: number): Write => ({
  Update: {
    TableName: CORE,
    Key,
    UpdateExpression: 'SET #n = :n, #mark = :mark',
    ConditionExpression:
      'attribute_exists(pk) AND #n < :n AND (attribute_not_exists(#fence) OR #fence <= :fence) AND attribute_not_exists(#mark)',
    ExpressionAttributeNames: { '#n': 'n', '#mark': 'mark', '#fence': 'fence' },
    ExpressionAttributeValues: { ':n': n, ':mark': 'it’s "told"?', ':fence': 3 },
  },
});

export const statementContract: readonly DynamoDbCase[] = [
  {
    sentence: 'an insert makes an item of every type, without what is undefined, and none where there is one',
    show: async (service) => {
      const key = aKey();
      const item = { ...key, ...everyType, gone: undefined, some: { there: 1, gone: undefined } };

      expect(await execute(service, [insert(item)])).toEqual(['done']);
      expect(await execute(service, [insert({ ...key, other: 1 })])).toEqual(['DuplicateItem']);
      expect(await read(service, key)).toEqual({ ...key, ...everyType, some: { there: 1 } });
    },
  },
  {
    sentence: 'statements of one call have an outcome each, and one that is refused holds up no other',
    show: async (service) => {
      const [there, absent, young, old] = [aKey(), aKey(), aKey(), aKey()];
      await put(service, { ...there, n: 1 });
      await put(service, { ...young, n: 1 });
      await put(service, { ...old, n: 5 });

      const outcomes = await execute(service, [insert(there), insert(absent), move(young, 2), move(old, 2)]);

      expect(outcomes).toEqual(['DuplicateItem', 'done', 'done', 'ConditionalCheckFailed']);
      expect(await read(service, there)).toEqual({ ...there, n: 1 });
      expect(await read(service, absent)).toEqual(absent);
      expect(await read(service, young)).toEqual({ ...young, n: 2, mark: 'it’s "told"?' });
      expect(await read(service, old)).toEqual({ ...old, n: 5 });
    },
  },
  {
    sentence: 'an update makes no item',
    show: async (service) => {
      const key = aKey();

      expect(await execute(service, [move(key, 2)])).toEqual(['ConditionalCheckFailed']);
      expect(await read(service, key)).toBeUndefined();
    },
  },
  {
    sentence: 'an update has each part of its condition',
    show: async (service) => {
      const [fenced, passed, marked] = [aKey(), aKey(), aKey()];
      await put(service, { ...fenced, n: 1, fence: 4 });
      await put(service, { ...passed, n: 1, fence: 3 });
      await put(service, { ...marked, n: 1, mark: 'other' });

      const outcomes = await execute(service, [move(fenced, 2), move(passed, 2), move(marked, 2)]);

      expect(outcomes).toEqual(['ConditionalCheckFailed', 'done', 'ConditionalCheckFailed']);
    },
  },
  {
    sentence: 'a call has at most 25 statements',
    show: async (service) => {
      const all = Array.from({ length: 26 }, () => insert(aKey()));

      expect(await outcomeOf(execute(service, all))).toBe('ValidationException');
      expect(await execute(service, all.slice(1))).toEqual(Array.from({ length: 25 }, () => 'done'));
    },
  },
];
