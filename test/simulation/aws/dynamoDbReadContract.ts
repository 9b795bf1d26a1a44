import { randomUUID } from 'node:crypto';
import { QueryCommand, ScanCommand, UpdateCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { SHARD_INDEX } from '../../../shared/platform/tables.ts';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, put, type DynamoDbCase, type DynamoDbUnderTest } from './dynamoDbUnderTest.ts';

const FLEET = 'contract-fleet';

type QueryRest = Partial<QueryCommandInput>;

/** Queries one partition. @param sort condition on the sort key, with its values */
async function query(
  service: DynamoDbUnderTest,
  pk: string,
  sort: readonly [condition: string, values: Record<string, unknown>] | undefined,
  rest: QueryRest = {},
) {
  const { ExpressionAttributeValues, ...others } = rest;
  const answer = await service.send(
    new QueryCommand({
      TableName: CORE,
      KeyConditionExpression: sort === undefined ? 'pk = :pk' : `pk = :pk AND ${sort[0]}`,
      ExpressionAttributeValues: { ':pk': pk, ...sort?.[1], ...ExpressionAttributeValues },
      ...others,
    }),
  );
  return { keys: (answer.Items ?? []).map((item) => item['sk'] as string), ...answer };
}

async function aPartition(service: DynamoDbUnderTest, sortKeys: readonly string[]): Promise<string> {
  const { pk } = aKey();
  for (const [n, sk] of sortKeys.entries()) await put(service, { pk, sk, n });
  return pk;
}

async function queryIndex(service: DynamoDbUnderTest, shard: string, rest: QueryRest = {}) {
  const answer = await service.send(
    new QueryCommand({
      TableName: CORE,
      IndexName: SHARD_INDEX.name,
      KeyConditionExpression: '#shard = :shard',
      ExpressionAttributeNames: { '#shard': SHARD_INDEX.partitionKey },
      ExpressionAttributeValues: { ':shard': shard },
      ...rest,
    }),
  );
  return { keys: (answer.Items ?? []).map((item) => item['sk'] as string), ...answer };
}

export const readContract: readonly DynamoDbCase[] = [
  {
    sentence: 'a query answers a partition in the order of the bytes of its sort keys, or the other way round',
    show: async (service) => {
      const inOrder = ['A', 'B', 'a', 'a#1', 'aa', 'b', 'é', '\uffee', '😀'];
      const pk = await aPartition(service, inOrder.toSorted());

      expect((await query(service, pk, undefined)).keys).toEqual(inOrder);
      expect((await query(service, pk, undefined, { ScanIndexForward: false })).keys).toEqual(inOrder.toReversed());
      expect((await query(service, 'nowhere', undefined)).keys).toEqual([]);
    },
  },
  {
    sentence: 'a query takes a part of a partition',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b#1', 'b#2', 'b#3', 'c']);
      const keys = async (condition: string, values: Record<string, unknown>) =>
        (await query(service, pk, [condition, values])).keys.join(' ');

      expect(await keys('sk = :v', { ':v': 'b#2' })).toBe('b#2');
      expect(await keys('sk < :v', { ':v': 'b#2' })).toBe('a b#1');
      expect(await keys('sk <= :v', { ':v': 'b#2' })).toBe('a b#1 b#2');
      expect(await keys('sk > :v', { ':v': 'b#2' })).toBe('b#3 c');
      expect(await keys('sk >= :v', { ':v': 'b#2' })).toBe('b#2 b#3 c');
      expect(await keys('sk >= :v', { ':v': 'b' })).toBe('b#1 b#2 b#3 c');
      expect(await keys('begins_with(sk, :v)', { ':v': 'b#' })).toBe('b#1 b#2 b#3');
      expect(await keys('sk BETWEEN :v AND :w', { ':v': 'b', ':w': 'b#2' })).toBe('b#1 b#2');
      expect(await outcomeOf(query(service, pk, ['sk BETWEEN :v AND :w', { ':v': 'c', ':w': 'a' }]))).toBe(
        'ValidationException',
      );
    },
  },
  {
    sentence: 'a query names a partition by equality',
    show: async (service) => {
      const ask = (KeyConditionExpression: string, values: Record<string, unknown>) =>
        outcomeOf(
          service.send(
            new QueryCommand({ TableName: CORE, KeyConditionExpression, ExpressionAttributeValues: values }),
          ),
        );

      expect(await ask('sk = :v', { ':v': 'a' })).toBe('ValidationException');
      expect(await ask('pk > :v', { ':v': 'a' })).toBe('ValidationException');
      expect(await ask('pk = :v AND n = :w', { ':v': 'a', ':w': 'b' })).toBe('ValidationException');
    },
  },
  {
    sentence: 'a query may name its sort key before its partition',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b']);

      const answer = await service.send(
        new QueryCommand({
          TableName: CORE,
          KeyConditionExpression: 'sk = :sk AND pk = :pk',
          ExpressionAttributeValues: { ':pk': pk, ':sk': 'b' },
        }),
      );

      expect(answer.Items).toEqual([{ pk, sk: 'b', n: 1 }]);
    },
  },
  {
    sentence: 'a page goes on where the last one ended, in both directions',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b#1', 'b#2', 'b#3', 'c']);
      const pages = async (forward: boolean): Promise<string[]> => {
        const found: string[] = [];
        let start: Record<string, unknown> | undefined;
        do {
          const page = await query(service, pk, ['begins_with(sk, :v)', { ':v': 'b' }], {
            Limit: 2,
            ScanIndexForward: forward,
            ExclusiveStartKey: start,
          });
          found.push(page.keys.join(' '));
          start = page.LastEvaluatedKey;
        } while (start !== undefined);
        return found;
      };

      expect(await pages(true)).toEqual(['b#1 b#2', 'b#3']);
      expect(await pages(false)).toEqual(['b#3 b#2', 'b#1']);
    },
  },
  {
    sentence: 'a full page names its end although nothing comes after it',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b']);

      expect((await query(service, pk, undefined, { Limit: 2 })).LastEvaluatedKey).toEqual({ pk, sk: 'b' });
      expect((await query(service, pk, undefined, { Limit: 3 })).LastEvaluatedKey).toBeUndefined();
    },
  },
  {
    sentence: 'a page may begin after a key that is not there, if it is one that the query could meet',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b#1', 'b#3']);
      const from = (sk: string, forward = true) =>
        query(service, pk, ['begins_with(sk, :v)', { ':v': 'b' }], {
          ExclusiveStartKey: { pk, sk },
          ScanIndexForward: forward,
        });

      expect((await from('b#2')).keys).toEqual(['b#3']);
      expect((await from('b#2', false)).keys).toEqual(['b#1']);
      expect(await outcomeOf(query(service, pk, undefined, { ExclusiveStartKey: { pk } }))).toBe('ValidationException');
    },
  },
  {
    sentence: 'a page may not begin in another partition',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'c']);

      const asked = query(service, pk, undefined, { ExclusiveStartKey: aKey('b') });

      expect(await outcomeOf(asked)).toBe('ValidationException');
    },
  },
  {
    sentence: 'a page may not begin outside of what the query takes',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b#1', 'c']);

      const asked = query(service, pk, ['begins_with(sk, :v)', { ':v': 'b' }], { ExclusiveStartKey: { pk, sk: 'a' } });

      expect(await outcomeOf(asked)).toBe('ValidationException');
    },
  },
  {
    sentence: 'a filter comes after the limit, and a projection takes parts',
    show: async (service) => {
      const pk = await aPartition(service, ['a', 'b', 'c']);

      const page = await query(service, pk, undefined, {
        Limit: 2,
        FilterExpression: '#n > :zero',
        ProjectionExpression: 'sk',
        ExpressionAttributeNames: { '#n': 'n' },
        ExpressionAttributeValues: { ':zero': 0 },
      });

      expect(page.Items).toEqual([{ sk: 'b' }]);
      expect(page).toMatchObject({ Count: 1, ScannedCount: 2, LastEvaluatedKey: { pk, sk: 'b' } });
    },
  },
  {
    sentence: 'the index holds the items that have its key, as they are now',
    show: async (service) => {
      const [shard, other] = [`SHARD#${randomUUID()}`, `SHARD#${randomUUID()}`];
      const keys = ['2', '1', '3'].map((sk) => aKey(sk));
      for (const key of keys) await put(service, { ...key, shardKey: shard });
      const [second, first, third] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
      await put(service, aKey('4'));

      expect((await queryIndex(service, shard)).keys).toEqual(['1', '2', '3']);
      const set = (Key: typeof first, UpdateExpression: string, values?: Record<string, unknown>) =>
        service.send(new UpdateCommand({ TableName: CORE, Key, UpdateExpression, ExpressionAttributeValues: values }));
      await set(first, 'REMOVE shardKey');
      await set(second, 'SET shardKey = :other', { ':other': other });
      await set(third, 'SET n = :n', { ':n': 3 });

      expect((await queryIndex(service, shard)).Items).toEqual([{ ...third, shardKey: shard, n: 3 }]);
      expect((await queryIndex(service, other)).keys).toEqual(['2']);
    },
  },
  {
    sentence: 'a page of the index ends at the keys of both, and goes on between equal sort keys',
    show: async (service) => {
      const shard = `SHARD#${randomUUID()}`;
      for (const key of [aKey('1'), aKey('1'), aKey('1'), aKey('2')]) await put(service, { ...key, shardKey: shard });

      const found: unknown[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page = await queryIndex(service, shard, { Limit: 2, ExclusiveStartKey: start });
        found.push(...(page.Items ?? []).map((item) => item['pk']));
        start = page.LastEvaluatedKey;
        if (start !== undefined) expect(Object.keys(start).toSorted()).toEqual(['pk', 'shardKey', 'sk']);
      } while (start !== undefined);

      expect(new Set(found).size).toBe(4);
      expect(found).toHaveLength(4);
    },
  },
  {
    sentence: 'the index is no place for consistent reads, for other names or for keys that are no texts',
    show: async (service) => {
      const asked = queryIndex(service, 'SHARD#1', { ConsistentRead: true });
      expect(await outcomeOf(asked)).toBe('ValidationException');
      expect(await outcomeOf(queryIndex(service, 'SHARD#1', { IndexName: 'by-nothing' }))).toBe('ValidationException');
      expect(await outcomeOf(put(service, { ...aKey(), shardKey: 1 }))).toBe('ValidationException');
      expect(await outcomeOf(put(service, { ...aKey(), shardKey: '' }))).toBe('ValidationException');
    },
  },
  {
    sentence: 'a scan meets every item once, a partition at a time and in its order, page by page',
    show: async (service) => {
      const partitions = Array.from({ length: 5 }, () => aKey().pk);
      const keys = ['1', '2', '3'].flatMap((sk) => partitions.map((pk) => ({ pk, sk })));
      for (const Key of keys) await service.send(new UpdateCommand({ TableName: FLEET, Key }));

      const found: Record<string, unknown>[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page = await service.send(
          new ScanCommand({ TableName: FLEET, Limit: 2, ConsistentRead: true, ExclusiveStartKey: start }),
        );
        found.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
      } while (start !== undefined);

      const ours = found.filter(({ pk }) => partitions.includes(pk as string));
      const order = [...new Set(ours.map(({ pk }) => pk))];
      expect(ours).toEqual(order.flatMap((pk) => ['1', '2', '3'].map((sk) => ({ pk, sk }))));
      expect(order).toHaveLength(5);
    },
  },
];
