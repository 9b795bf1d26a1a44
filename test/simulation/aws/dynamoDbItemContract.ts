import { BatchGetCommand, BatchWriteCommand, DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, everyType, put, read, type DynamoDbCase } from './dynamoDbUnderTest.ts';

export const itemContract: readonly DynamoDbCase[] = [
  {
    sentence: 'an absent item is no item',
    show: async (service) => {
      expect(await read(service, aKey())).toBeUndefined();
    },
  },
  {
    sentence: 'an item comes back as it was given, without what is undefined',
    show: async (service) => {
      const key = aKey();

      await put(service, { ...key, ...everyType, gone: undefined, some: { there: 1, gone: undefined } });

      expect(await read(service, key)).toEqual({ ...key, ...everyType, some: { there: 1 } });
      expect(Object.keys((await read(service, key)) ?? {})).not.toContain('gone');
    },
  },
  {
    sentence: 'bytes come back as bytes',
    show: async (service) => {
      const key = aKey();

      await put(service, { ...key, body: Buffer.from('bytes') });

      const body = (await read(service, key))?.['body'];
      expect(body).toBeInstanceOf(Uint8Array);
      expect(Buffer.from(body as Uint8Array).toString()).toBe('bytes');
    },
  },
  {
    sentence: 'nobody changes an item by changing what was given or received',
    show: async (service) => {
      const key = aKey();
      const item = { ...key, map: { list: [1] }, body: new Uint8Array([1]) };
      await put(service, item);
      const received = (await read(service, key)) as typeof item;

      item.map.list.push(2);
      item.body[0] = 2;
      received.map.list.push(3);
      received.body[0] = 3;

      expect(await read(service, key)).toMatchObject({ map: { list: [1] }, body: new Uint8Array([1]) });
    },
  },
  {
    sentence: 'a put takes the place of the whole item and can return it',
    show: async (service) => {
      const key = aKey();
      const first = await service.send(
        new PutCommand({ TableName: CORE, Item: { ...key, a: 1 }, ReturnValues: 'ALL_OLD' }),
      );

      const second = await service.send(
        new PutCommand({ TableName: CORE, Item: { ...key, b: 2 }, ReturnValues: 'ALL_OLD' }),
      );

      expect(first.Attributes).toBeUndefined();
      expect(second.Attributes).toEqual({ ...key, a: 1 });
      expect(await read(service, key)).toEqual({ ...key, b: 2 });
    },
  },
  {
    sentence: 'a delete takes an item away, may find none, and can return it',
    show: async (service) => {
      const key = aKey();
      await put(service, { ...key, a: 1 });
      const command = () => new DeleteCommand({ TableName: CORE, Key: key, ReturnValues: 'ALL_OLD' });

      const first = await service.send(command());
      const second = await service.send(command());

      expect(first.Attributes).toEqual({ ...key, a: 1 });
      expect(second.Attributes).toBeUndefined();
      expect(await read(service, key)).toBeUndefined();
    },
  },
  {
    sentence: 'a key is two texts that are not empty, and nothing else',
    show: async (service) => {
      const get = (Key: Record<string, unknown>) => outcomeOf(service.send(new GetCommand({ TableName: CORE, Key })));

      expect(await get({ pk: 'a' })).toBe('ValidationException');
      expect(await get({ pk: 'a', sk: 'b', more: 'c' })).toBe('ValidationException');
      expect(await get({ pk: 'a', sk: 1 })).toBe('ValidationException');
      expect(await get({ pk: 'a', sk: '' })).toBe('ValidationException');
      expect(await outcomeOf(put(service, { pk: 'a' }))).toBe('ValidationException');
      expect(await outcomeOf(put(service, { pk: 'a', sk: '' }))).toBe('ValidationException');
    },
  },
  {
    sentence: 'a batch answers the items that are there',
    show: async (service) => {
      const [here, there, nowhere] = [aKey(), aKey(), aKey()];
      await put(service, { ...here, n: 1 });
      await put(service, { ...there, n: 2 });

      const answer = await service.send(
        new BatchGetCommand({ RequestItems: { [CORE]: { Keys: [here, there, nowhere], ConsistentRead: true } } }),
      );

      const found = answer.Responses?.[CORE] ?? [];
      expect(found.toSorted((left, right) => Number(left['n']) - Number(right['n']))).toEqual([
        { ...here, n: 1 },
        { ...there, n: 2 },
      ]);
      expect(answer.UnprocessedKeys?.[CORE]).toBeUndefined();
    },
  },
  {
    sentence: 'a batch has at most 100 keys, each once',
    show: async (service) => {
      const key = aKey();
      const get = (Keys: Record<string, unknown>[]) =>
        outcomeOf(service.send(new BatchGetCommand({ RequestItems: { [CORE]: { Keys } } })));

      expect(await get([key, key])).toBe('ValidationException');
      expect(await get(Array.from({ length: 101 }, () => aKey()))).toBe('ValidationException');
    },
  },
  {
    sentence: 'a batch of writes puts whole items in place of what was there, and deletes others',
    show: async (service) => {
      const [here, there, gone] = [aKey(), aKey(), aKey()];
      await put(service, { ...here, n: 1, old: true });
      await put(service, { ...gone, n: 2 });

      const answer = await service.send(
        new BatchWriteCommand({
          RequestItems: {
            [CORE]: [
              { PutRequest: { Item: { ...here, n: 3 } } },
              { PutRequest: { Item: { ...there, n: 4 } } },
              { DeleteRequest: { Key: gone } },
            ],
          },
        }),
      );

      expect(answer.UnprocessedItems?.[CORE]).toBeUndefined();
      const read = await Promise.all(
        [here, there, gone].map((Key) => service.send(new GetCommand({ TableName: CORE, Key, ConsistentRead: true }))),
      );
      expect(read.map(({ Item }) => Item)).toEqual([{ ...here, n: 3 }, { ...there, n: 4 }, undefined]);
    },
  },
  {
    sentence: 'a batch of writes has at most 25 items, each once',
    show: async (service) => {
      const key = aKey();
      const write = (keys: readonly Record<string, unknown>[]) =>
        outcomeOf(
          service.send(
            new BatchWriteCommand({ RequestItems: { [CORE]: keys.map((Item) => ({ PutRequest: { Item } })) } }),
          ),
        );

      expect(await write([key, key])).toBe('ValidationException');
      expect(await write(Array.from({ length: 26 }, () => aKey()))).toBe('ValidationException');
    },
  },
];
