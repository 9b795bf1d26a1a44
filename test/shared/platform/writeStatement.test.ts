import { describe, expect, it } from 'vitest';
import { toStatement } from '../../../shared/platform/writeStatement.ts';

const update = {
  TableName: 'test-core',
  Key: { pk: 'CON#1', sk: 'MESSAGE#1' },
  UpdateExpression: 'SET #state = :state, #told = :told',
  ConditionExpression: 'attribute_exists(pk) AND #rank < :rank AND (attribute_not_exists(#told) OR #told = :was)',
  ExpressionAttributeNames: { '#state': 'state', '#told': 'told_sent', '#rank': 'rank' },
  ExpressionAttributeValues: { ':state': 'sent', ':told': 'new', ':rank': 4, ':was': 'old' },
};

describe('the statement of a write', () => {
  it('of a put makes an item, without what is undefined', () => {
    const Item = { pk: 'CON#1', sk: 'FACT#1', told: { a: 1 }, gone: undefined };

    expect(toStatement({ Put: { TableName: 'test-core', Item } })).toEqual({
      Statement: `INSERT INTO "test-core" VALUE {'pk': ?, 'sk': ?, 'told': ?}`,
      Parameters: ['CON#1', 'FACT#1', { a: 1 }],
    });
  });

  it('of an update has its changes, its key and its condition, with the values in their order', () => {
    expect(toStatement({ Update: update })).toEqual({
      Statement:
        'UPDATE "test-core" SET "state" = ?, "told_sent" = ? WHERE "pk" = ? AND "sk" = ? AND "rank" < ? AND ("told_sent" IS MISSING OR "told_sent" = ?)',
      Parameters: ['sent', 'new', 'CON#1', 'MESSAGE#1', 4, 'old'],
    });
  });

  it('is none for an update that would make an item, and for a delete', () => {
    expect(() => toStatement({ Update: { ...update, ConditionExpression: '#rank < :rank' } })).toThrow(TypeError);
    expect(() => toStatement({ Delete: { TableName: 'test-core', Key: update.Key } })).toThrow(TypeError);
  });
});
