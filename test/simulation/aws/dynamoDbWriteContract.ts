import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, everyType, put, read, update, type DynamoDbCase, type Update } from './dynamoDbUnderTest.ts';

export const writeContract: readonly DynamoDbCase[] = [
  {
    sentence: 'a refused condition changes nothing and makes no item',
    show: async (service) => {
      const [there, absent] = [aKey(), aKey()];
      await put(service, { ...there, n: 1 });
      const input = {
        UpdateExpression: 'SET n = :two',
        ConditionExpression: 'n = :two',
        ExpressionAttributeValues: { ':two': 2 },
      };

      expect(await outcomeOf(update(service, there, input))).toBe('ConditionalCheckFailedException');
      expect(await outcomeOf(update(service, absent, input))).toBe('ConditionalCheckFailedException');

      expect(await read(service, there)).toEqual({ ...there, n: 1 });
      expect(await read(service, absent)).toBeUndefined();
    },
  },
  {
    sentence: 'a refused condition shows the item in attribute values if that is asked for and there is one',
    show: async (service) => {
      const [key, absent] = [aKey(), aKey()];
      await put(service, { ...key, ...everyType, body: Buffer.from('b') });
      const refusal = async (Key: typeof key, returns?: 'ALL_OLD'): Promise<ConditionalCheckFailedException> => {
        const error: unknown = await update(service, Key, {
          UpdateExpression: 'REMOVE a',
          ConditionExpression: 'attribute_exists(never)',
          ...(returns === undefined ? {} : { ReturnValuesOnConditionCheckFailure: returns }),
        }).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ConditionalCheckFailedException);
        return error as ConditionalCheckFailedException;
      };

      expect((await refusal(key)).Item).toBeUndefined();
      expect((await refusal(absent, 'ALL_OLD')).Item).toBeUndefined();
      const { Item = {} } = await refusal(key, 'ALL_OLD');
      expect(Item).toMatchObject({
        pk: { S: key.pk },
        text: { S: 'a' },
        number: { N: '1' },
        yes: { BOOL: true },
        nothing: { NULL: true },
        list: { L: [{ N: '1' }, { S: 'b' }, { L: [{ BOOL: true }] }] },
        map: { M: { inner: { M: { deep: { N: '2' } } }, empty: { S: '' } } },
      });
      expect(Buffer.from(Item['body']?.B ?? []).toString()).toBe('b');
    },
  },
  {
    sentence: 'a delete and a put have conditions too',
    show: async (service) => {
      const key = aKey();
      await put(service, { ...key, n: 1 });
      const condition = { ConditionExpression: 'n > :one', ExpressionAttributeValues: { ':one': 1 } };

      const deleted = service.send(new DeleteCommand({ TableName: CORE, Key: key, ...condition }));
      expect(await outcomeOf(deleted)).toBe('ConditionalCheckFailedException');
      const replaced = service.send(new PutCommand({ TableName: CORE, Item: key, ...condition }));
      expect(await outcomeOf(replaced)).toBe('ConditionalCheckFailedException');

      expect(await read(service, key)).toEqual({ ...key, n: 1 });
    },
  },
  {
    sentence: 'an update makes the item that is absent',
    show: async (service) => {
      const [set, added, bare] = [aKey(), aKey(), aKey()];

      await update(service, set, { UpdateExpression: 'SET a = :a', ExpressionAttributeValues: { ':a': { b: [1] } } });
      await update(service, added, { UpdateExpression: 'ADD n :n', ExpressionAttributeValues: { ':n': -3 } });
      await update(service, bare, {});

      expect(await read(service, set)).toEqual({ ...set, a: { b: [1] } });
      expect(await read(service, added)).toEqual({ ...added, n: -3 });
      expect(await read(service, bare)).toEqual(bare);
    },
  },
  {
    sentence: 'an update that only removes makes no item',
    show: async (service) => {
      const key = aKey();

      await update(service, key, { UpdateExpression: 'REMOVE a, b' });

      expect(await read(service, key)).toBeUndefined();
    },
  },
  {
    sentence: 'an update computes, sets, adds and removes in any case of letters, and every value is the one before it',
    show: async (service) => {
      const key = aKey();
      await put(service, { ...key, a: 1, b: 2, c: 3, gone: 'x', count: 5 });

      await update(service, key, {
        UpdateExpression:
          'set a = b, b = a, c = c - :one, d = if_not_exists(d, :ten) + a, e = if_not_exists(a, b) remove gone, never ADD #count :one',
        ExpressionAttributeNames: { '#count': 'count' },
        ExpressionAttributeValues: { ':one': 1, ':ten': 10 },
      });

      expect(await read(service, key)).toEqual({ ...key, a: 2, b: 1, c: 2, d: 11, e: 1, count: 6 });
    },
  },
  {
    sentence: 'if_not_exists takes an attribute that is null for one that exists',
    show: async (service) => {
      const key = aKey();
      await put(service, { ...key, a: null });

      await update(service, key, {
        UpdateExpression: 'SET b = if_not_exists(a, :x)',
        ExpressionAttributeValues: { ':x': 1 },
      });

      expect(await read(service, key)).toEqual({ ...key, a: null, b: null });
    },
  },
  {
    sentence: 'an update returns what it is asked for',
    show: async (service) => {
      const ask = async (
        ReturnValues: 'ALL_OLD' | 'ALL_NEW' | 'UPDATED_OLD' | 'UPDATED_NEW' | 'NONE',
        there = true,
      ) => {
        const key = aKey();
        if (there) await put(service, { ...key, a: 1, b: 2, c: 3 });
        const { Attributes } = await update(service, key, {
          UpdateExpression: 'SET a = :nine, n = :nine REMOVE b',
          ExpressionAttributeValues: { ':nine': 9 },
          ReturnValues,
        });
        return Attributes && { ...Attributes, ...('pk' in Attributes ? { pk: 'pk' } : {}) };
      };

      expect(await ask('NONE')).toBeUndefined();
      expect(await ask('ALL_OLD')).toEqual({ pk: 'pk', sk: 'sk', a: 1, b: 2, c: 3 });
      expect(await ask('ALL_NEW')).toEqual({ pk: 'pk', sk: 'sk', a: 9, n: 9, c: 3 });
      expect(await ask('UPDATED_OLD')).toEqual({ a: 1, b: 2 });
      expect(await ask('UPDATED_NEW')).toEqual({ a: 9, n: 9 });
      expect(await ask('ALL_NEW', false)).toEqual({ pk: 'pk', sk: 'sk', a: 9, n: 9 });
    },
  },
  {
    sentence: 'an update of an absent item returns no old item',
    show: async (service) => {
      const answer = await update(service, aKey(), {
        UpdateExpression: 'SET a = :a',
        ExpressionAttributeValues: { ':a': 1 },
        ReturnValues: 'ALL_OLD',
      });

      expect(answer.Attributes).toBeUndefined();
    },
  },
  {
    sentence: 'an update that cannot be computed is refused and changes nothing',
    show: async (service) => {
      const key = aKey();
      await put(service, { ...key, n: 1, text: 'a' });
      const outcome = (UpdateExpression: string, values?: Record<string, unknown>) =>
        outcomeOf(
          update(service, key, {
            UpdateExpression,
            ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
          }),
        );

      expect(await outcome('SET n = never')).toBe('ValidationException');
      expect(await outcome('SET n = never + :one', { ':one': 1 })).toBe('ValidationException');
      expect(await outcome('SET n = text + :one', { ':one': 1 })).toBe('ValidationException');
      expect(await outcome('ADD text :one', { ':one': 1 })).toBe('ValidationException');
      expect(await outcome('ADD n :text', { ':text': 'a' })).toBe('ValidationException');
      expect(await outcome('SET pk = :x', { ':x': 'a' })).toBe('ValidationException');
      expect(await outcome('REMOVE sk')).toBe('ValidationException');
      expect(await outcome('SET n = :x, n = :x', { ':x': 1 })).toBe('ValidationException');
      expect(await outcome('SET n = :x REMOVE n', { ':x': 1 })).toBe('ValidationException');
      expect(await outcome('SET n = :x SET m = :x', { ':x': 1 })).toBe('ValidationException');

      expect(await read(service, key)).toEqual({ ...key, n: 1, text: 'a' });
    },
  },
  {
    sentence: 'placeholders are all given and all used',
    show: async (service) => {
      const key = aKey();
      const outcome = (given: Update) => outcomeOf(update(service, key, { UpdateExpression: 'SET #a = :a', ...given }));
      const [names, values] = [{ '#a': 'a' }, { ':a': 1 }];

      expect(await outcome({ ExpressionAttributeValues: values })).toBe('ValidationException');
      expect(await outcome({ ExpressionAttributeNames: names })).toBe('ValidationException');
      expect(
        await outcome({ ExpressionAttributeNames: names, ExpressionAttributeValues: { ':a': undefined, ':b': 1 } }),
      ).toBe('ValidationException');
      expect(
        await outcome({ ExpressionAttributeNames: { ...names, '#b': 'b' }, ExpressionAttributeValues: values }),
      ).toBe('ValidationException');
      expect(
        await outcome({ ExpressionAttributeNames: names, ExpressionAttributeValues: { ...values, ':b': 1 } }),
      ).toBe('ValidationException');
      expect(await outcome({ ExpressionAttributeNames: names, ExpressionAttributeValues: values })).toBe('taken');
    },
  },
];
