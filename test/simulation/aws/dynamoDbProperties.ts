import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, read, update, type DynamoDbCase, type DynamoDbUnderTest } from './dynamoDbUnderTest.ts';

interface Row {
  readonly version?: number;
  readonly owner?: string;
}

/** A write as the product makes them: what it sends, and what it should do to a row. */
interface Write {
  readonly send: (service: DynamoDbUnderTest, key: ReturnType<typeof aKey>) => Promise<unknown>;
  /** The row after it, or `refused`. */
  readonly expected: (row: Row | undefined) => Row | undefined | 'refused';
}

const aVersion = fc.integer({ min: 1, max: 3 });
const anOwner = fc.constantFrom('a', 'b');

const creation = fc.tuple(aVersion, anOwner).map(([version, owner]): Write => ({
  send: (service, key) =>
    service.send(
      new PutCommand({
        TableName: CORE,
        Item: { ...key, version, owner },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  expected: (row) => (row === undefined ? { version, owner } : 'refused'),
}));

const fencedPut = aVersion.map((version): Write => ({
  send: (service, key) =>
    service.send(
      new PutCommand({
        TableName: CORE,
        Item: { ...key, version },
        ConditionExpression: 'attribute_not_exists(version) OR version <= :version',
        ExpressionAttributeValues: { ':version': version },
      }),
    ),
  expected: (row) => (row?.version === undefined || row.version <= version ? { version } : 'refused'),
}));

const take = fc.tuple(aVersion, anOwner).map(([seen, owner]): Write => ({
  send: (service, key) =>
    update(service, key, {
      UpdateExpression: 'SET #owner = :owner, version = version + :one',
      ConditionExpression: 'version = :seen AND (attribute_not_exists(#owner) OR #owner <> :owner)',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':owner': owner, ':seen': seen, ':one': 1 },
    }),
  expected: (row) => (row?.version === seen && row.owner !== owner ? { version: seen + 1, owner } : 'refused'),
}));

const count = fc.constant<Write>({
  send: (service, key) =>
    update(service, key, {
      UpdateExpression: 'REMOVE #owner ADD version :one',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':one': 1 },
    }),
  expected: (row) => ({ version: (row?.version ?? 0) + 1 }),
});

const removal = anOwner.map((owner): Write => ({
  send: (service, key) =>
    service.send(
      new DeleteCommand({
        TableName: CORE,
        Key: key,
        ConditionExpression: 'attribute_not_exists(pk) OR NOT #owner IN (:owner)',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
      }),
    ),
  expected: (row) => (row?.owner === owner ? 'refused' : undefined),
}));

/** What is promised whatever is written, told by a row that is kept beside it. */
export const dynamoDbProperties: readonly DynamoDbCase[] = [
  {
    sentence: 'always, conditional writes of one item do what their conditions say, one after the other',
    show: async (service) => {
      const writes = fc.array(fc.oneof(creation, fencedPut, take, count, removal), { minLength: 3, maxLength: 15 });
      await fc.assert(
        fc.asyncProperty(writes, async (given) => {
          const key = aKey();
          let row: Row | undefined;
          for (const { send, expected } of given) {
            const next = expected(row);
            const outcome = await outcomeOf(send(service, key));
            expect(outcome).toBe(next === 'refused' ? 'ConditionalCheckFailedException' : 'taken');
            if (next !== 'refused') row = next;
          }

          expect(await read(service, key)).toEqual(row && { ...key, ...row });
        }),
        { numRuns: 40 },
      );
    },
  },
];
