import type { TransactionWrite } from '../../message/messageWrites.ts';
import type { RowChange } from '../facts/factRow.ts';

/** The write of a change of another row: on the condition that the row is as far as it was read. */
export function toChangeWrite(TableName: string, { key, set, after }: RowChange): TransactionWrite {
  const sets = Object.entries(set).filter(([, value]) => value !== undefined);
  const { attribute, was } = after ?? {};
  const isAsRead = was === undefined ? 'attribute_not_exists(#after)' : '#after = :was';
  const condition = attribute === undefined ? [] : [isAsRead];
  return {
    Update: {
      TableName,
      Key: { ...key },
      UpdateExpression: `SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: ['attribute_exists(pk)', ...condition].join(' AND '),
      ExpressionAttributeNames: {
        ...(attribute === undefined ? {} : { '#after': attribute }),
        ...Object.fromEntries(sets.map(([name]) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ...(was === undefined ? {} : { ':was': was }),
        ...Object.fromEntries(sets.map(([name, value]) => [`:${name}`, value])),
      },
    },
  };
}
