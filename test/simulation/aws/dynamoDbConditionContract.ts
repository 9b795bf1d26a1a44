import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aKey, CORE, put, type DynamoDbCase, type DynamoDbUnderTest } from './dynamoDbUnderTest.ts';

/** The item on which the conditions are judged. Attributes that it does not have are called `never`. */
const item = {
  n: 5,
  word: 'm',
  yes: true,
  nothing: null,
  many: [1, { a: 'b' }],
  nested: { a: 1, b: [2] },
  bytes: Buffer.from('m'),
};

type Row = readonly [condition: string, values: Readonly<Record<string, unknown>>, expected: boolean | 'invalid'];

const rows: readonly Row[] = [
  ['n = :v', { ':v': 5 }, true],
  ['n = :v', { ':v': 6 }, false],
  ['n = :v', { ':v': '5' }, false],
  ['word = :v', { ':v': 'm' }, true],
  ['yes = :v', { ':v': true }, true],
  ['yes = :v', { ':v': false }, false],
  ['nothing = :v', { ':v': null }, true],
  ['many = :v', { ':v': [1, { a: 'b' }] }, true],
  ['many = :v', { ':v': [{ a: 'b' }, 1] }, false],
  ['nested = :v', { ':v': { b: [2], a: 1 } }, true],
  ['nested = :v', { ':v': { a: 1 } }, false],
  ['bytes = :v', { ':v': Buffer.from('m') }, true],
  ['bytes = :v', { ':v': 'm' }, false],
  ['never = :v', { ':v': 5 }, false],
  ['never <> :v', { ':v': 5 }, true],
  ['n <> :v', { ':v': 5 }, false],
  ['n <> :v', { ':v': '5' }, true],
  ['n <> word', {}, true],
  ['n < :v', { ':v': 6 }, true],
  ['n < :v', { ':v': 5 }, false],
  ['n <= :v', { ':v': 5 }, true],
  ['n > :v', { ':v': 4 }, true],
  ['n > :v', { ':v': 5 }, false],
  ['n >= :v', { ':v': 5 }, true],
  ['n < :v', { ':v': '6' }, false],
  ['n > :v', { ':v': '1' }, false],
  ['n < :v', { ':v': 10 }, true],
  ['word < :v', { ':v': 'n' }, true],
  ['word < :v', { ':v': 'M' }, false],
  ['word < :v', { ':v': 'ma' }, true],
  ['bytes < :v', { ':v': Buffer.from('n') }, true],
  ['yes > :v', { ':v': 0 }, false],
  ['never < :v', { ':v': 5 }, false],
  ['never > :v', { ':v': 5 }, false],
  ['never <= :v', { ':v': 5 }, false],
  ['NOT never <= :v', { ':v': 5 }, true],
  ['n < :v', { ':v': true }, 'invalid'],
  ['n < :v', { ':v': null }, 'invalid'],
  [':v < n', { ':v': 4 }, true],
  [':v < n', { ':v': 5 }, false],
  ['n BETWEEN :v AND :w', { ':v': 5, ':w': 6 }, true],
  ['n BETWEEN :v AND :w', { ':v': 4, ':w': 5 }, true],
  ['n BETWEEN :v AND :w', { ':v': 6, ':w': 7 }, false],
  ['never BETWEEN :v AND :w', { ':v': 4, ':w': 6 }, false],
  ['n BETWEEN :v AND :w AND word = :x', { ':v': 4, ':w': 6, ':x': 'm' }, true],
  ['n IN (:v, :w)', { ':v': 4, ':w': 5 }, true],
  ['n IN (:v)', { ':v': 4 }, false],
  ['n IN (:v, :w)', { ':v': '5', ':w': true }, false],
  ['never IN (:v)', { ':v': 4 }, false],
  ['attribute_exists(n)', {}, true],
  ['attribute_exists(nothing)', {}, true],
  ['attribute_exists(never)', {}, false],
  ['attribute_not_exists(n)', {}, false],
  ['attribute_not_exists(never)', {}, true],
  ['begins_with(word, :v)', { ':v': 'm' }, true],
  ['begins_with(word, :v)', { ':v': 'mm' }, false],
  ['begins_with(n, :v)', { ':v': '5' }, false],
  ['begins_with(never, :v)', { ':v': 'm' }, false],
  ['begins_with(word, :v)', { ':v': 5 }, 'invalid'],
  ['n = :v OR word = :w AND yes = :x', { ':v': 5, ':w': 'z', ':x': false }, true],
  ['(n = :v OR word = :w) AND yes = :x', { ':v': 5, ':w': 'z', ':x': false }, false],
  ['NOT n = :v AND word = :w', { ':v': 6, ':w': 'm' }, true],
  ['NOT n = :v OR word = :w', { ':v': 5, ':w': 'z' }, false],
  ['NOT (n = :v OR word = :w)', { ':v': 6, ':w': 'z' }, true],
  ['not n = :v and (word = :w or yes = :x)', { ':v': 6, ':w': 'z', ':x': true }, true],
  ['((n = :v))', { ':v': 5 }, 'invalid'],
  ['(n = :v) AND (word = :w)', { ':v': 5, ':w': 'm' }, true],
  ['((n = :v) AND (word = :w))', { ':v': 5, ':w': 'm' }, true],
];

const outcomes = { true: 'taken', false: 'ConditionalCheckFailedException', invalid: 'ValidationException' } as const;

async function judge(
  service: DynamoDbUnderTest,
  key: ReturnType<typeof aKey>,
  [condition, values]: Row,
): Promise<string> {
  return outcomeOf(
    service.send(
      new UpdateCommand({
        TableName: CORE,
        Key: key,
        UpdateExpression: 'REMOVE nowhere',
        ConditionExpression: condition,
        ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
      }),
    ),
  );
}

/** Each row is a case of its own, so that a difference can be named. */
const toCase = (row: Row): DynamoDbCase => ({
  sentence: `${row[0]} ${JSON.stringify(row[1])} is ${String(row[2])}`,
  show: async (service) => {
    const key = aKey();
    await put(service, { ...key, ...item });

    expect(await judge(service, key, row)).toBe(outcomes[String(row[2]) as keyof typeof outcomes]);
  },
});

export const conditionContract: readonly DynamoDbCase[] = [
  ...rows.map(toCase),
  {
    sentence: 'on an absent item only what asks for absence holds',
    show: async (service) => {
      const holds = (condition: string, values = {}) => judge(service, aKey(), [condition, values, true]);

      expect(await holds('attribute_not_exists(pk)')).toBe('taken');
      expect(await holds('attribute_exists(pk)')).toBe('ConditionalCheckFailedException');
      expect(await holds('n <= :v', { ':v': 1 })).toBe('ConditionalCheckFailedException');
      expect(await holds('n <> :v', { ':v': 1 })).toBe('taken');
    },
  },
];
