import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';

/** A write in PartiQL, DynamoDB's form of SQL: one call carries 25 of them, each with a condition and an outcome of its own. */
export interface WriteStatement {
  readonly Statement: string;
  /** The values of the question marks, in their order. */
  readonly Parameters: unknown[];
}

type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/**
 * The statement of a put or an update.
 *
 * - A put becomes an `INSERT`, which makes an item only where there is none, whatever the condition of the put; a put over
 *   an item that is there has to be made alone.
 * - An update, which must ask that the item exists, becomes an `UPDATE`, which asks that by itself, and keeps the rest of
 *   its condition. Of the language of conditions it may use comparisons, `AND`, `OR` and `attribute_not_exists`.
 */
export function toStatement({ Put, Update }: Write): WriteStatement {
  if (Put !== undefined) return toInsert(Put);
  if (Update !== undefined) return toUpdate(Update);
  throw new TypeError('only puts and updates have a statement');
}

function toInsert({ TableName, Item = {} }: NonNullable<Write['Put']>): WriteStatement {
  const members = Object.entries(Item).filter(([, value]) => value !== undefined);
  return {
    Statement: `INSERT INTO "${TableName}" VALUE {${members.map(([name]) => `'${name}': ?`).join(', ')}}`,
    Parameters: members.map(([, value]) => value),
  };
}

const EXISTS = 'attribute_exists(pk)';
const AND = ' AND ';
const WORD = /attribute_not_exists\((?<missing>#?\w+)\)|(?<value>:\w+)|(?<name>#\w+)/g;

function toUpdate(update: NonNullable<Write['Update']>): WriteStatement {
  const { TableName, Key = {}, UpdateExpression = '', ConditionExpression = '' } = update;
  if (!ConditionExpression.startsWith(EXISTS)) throw new TypeError('an update without a condition has no statement');
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = update;
  const Parameters: unknown[] = [];
  const quoted = (name: string): string => `"${names[name] ?? name}"`;
  const translate = (expression: string): string =>
    expression.replace(WORD, (_word, missing?: string, value?: string, name?: string) => {
      if (missing !== undefined) return `${quoted(missing)} IS MISSING`;
      if (value === undefined) return quoted(name ?? '');
      Parameters.push(values[value]);
      return '?';
    });
  const changes = translate(UpdateExpression);
  const keys = Object.entries(Key).map(([name, value]) => {
    Parameters.push(value);
    return `"${name}" = ?`;
  });
  const rest = ConditionExpression.slice(EXISTS.length + AND.length);
  const conditions = rest === '' ? [] : [translate(rest)];
  return { Statement: `UPDATE "${TableName}" ${changes} WHERE ${[...keys, ...conditions].join(AND)}`, Parameters };
}
