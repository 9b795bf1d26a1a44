import { randomUUID } from 'node:crypto';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, put, read, type DynamoDbCase, type DynamoDbUnderTest } from './dynamoDbUnderTest.ts';

const n = { ExpressionAttributeNames: { '#n': 'n' } };

const transact = (
  service: DynamoDbUnderTest,
  TransactItems: TransactWriteCommandInput['TransactItems'],
  token?: string,
): Promise<unknown> =>
  service.send(
    new TransactWriteCommand({ TransactItems, ...(token === undefined ? {} : { ClientRequestToken: token }) }),
  );

export const transactionContract: readonly DynamoDbCase[] = [
  {
    sentence: 'a transaction does all of its steps',
    show: async (service) => {
      const [one, two, three, four] = [aKey(), aKey(), aKey(), aKey()];
      await put(service, three);
      await put(service, four);

      await transact(service, [
        { Put: { TableName: CORE, Item: { ...one, n: 1 }, ConditionExpression: 'attribute_not_exists(pk)' } },
        {
          Update: {
            TableName: CORE,
            Key: two,
            UpdateExpression: 'ADD #n :two',
            ...n,
            ExpressionAttributeValues: { ':two': 2 },
          },
        },
        { Delete: { TableName: CORE, Key: three, ConditionExpression: 'attribute_exists(pk)' } },
        { ConditionCheck: { TableName: CORE, Key: four, ConditionExpression: 'attribute_exists(pk)' } },
      ]);

      expect(await read(service, one)).toEqual({ ...one, n: 1 });
      expect(await read(service, two)).toEqual({ ...two, n: 2 });
      expect(await read(service, three)).toBeUndefined();
      expect(await read(service, four)).toEqual(four);
    },
  },
  {
    sentence: 'a transaction does nothing if one condition is refused, and says for each step why',
    show: async (service) => {
      const [one, two, three] = [aKey(), aKey(), aKey()];
      await put(service, { ...two, n: 7 });
      const refused = { ConditionExpression: 'attribute_not_exists(pk)' };

      const error: unknown = await transact(service, [
        { Put: { TableName: CORE, Item: one } },
        {
          Put: { TableName: CORE, Item: two, ...refused, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
        },
        { Delete: { TableName: CORE, Key: three, ConditionExpression: 'attribute_exists(pk)' } },
      ]).catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(TransactionCanceledException);
      const reasons = (error as TransactionCanceledException).CancellationReasons ?? [];
      expect(reasons.map(({ Code }) => Code)).toEqual(['None', 'ConditionalCheckFailed', 'ConditionalCheckFailed']);
      expect(reasons.map(({ Item }) => Item?.['n']?.N)).toEqual([undefined, '7', undefined]);
      expect(await read(service, one)).toBeUndefined();
      expect(await read(service, two)).toEqual({ ...two, n: 7 });
    },
  },
  {
    sentence: 'a transaction does nothing if one of its changes cannot be computed',
    show: async (service) => {
      const [one, two] = [aKey(), aKey()];
      const computed = { UpdateExpression: 'SET #n = #n - :one', ...n, ExpressionAttributeValues: { ':one': 1 } };

      const asked = transact(service, [
        { Put: { TableName: CORE, Item: one } },
        { Update: { TableName: CORE, Key: two, ...computed } },
      ]);

      expect(await outcomeOf(asked)).toBe('TransactionCanceledException');
      expect(await read(service, one)).toBeUndefined();
    },
  },
  {
    sentence: 'a transaction touches an item once',
    show: async (service) => {
      const key = aKey();

      const asked = transact(service, [
        { Put: { TableName: CORE, Item: key } },
        { ConditionCheck: { TableName: CORE, Key: key, ConditionExpression: 'attribute_not_exists(pk)' } },
      ]);

      expect(await outcomeOf(asked)).toBe('ValidationException');
    },
  },
  {
    sentence: 'a transaction with a token that was used is not done again, and is taken',
    show: async (service) => {
      const key = aKey();
      const steps = [
        { Put: { TableName: CORE, Item: key, ConditionExpression: 'attribute_not_exists(pk)' } },
      ] satisfies TransactWriteCommandInput['TransactItems'];
      const token = randomUUID();

      expect(await outcomeOf(transact(service, steps, token))).toBe('taken');
      expect(await outcomeOf(transact(service, steps, token))).toBe('taken');
      expect(await outcomeOf(transact(service, steps))).toBe('TransactionCanceledException');
    },
  },
];
