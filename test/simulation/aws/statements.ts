import { validationException } from './attributeValues.ts';
import type { PutInput, UpdateInput } from './plannedWrites.ts';

/** A statement of PartiQL as the write that it is; the fake knows the form in which the product makes them. */
export type StatementWrite = { readonly Put: PutInput } | { readonly Update: UpdateInput };

const INSERT = /^INSERT INTO "(?<table>[^"]+)" VALUE \{(?<members>.*)\}$/;
const UPDATE = /^UPDATE "(?<table>[^"]+)" (?<changes>SET .*) WHERE "pk" = \? AND "sk" = \? AND (?<condition>.*)$/;
const MEMBER = /^'(?<name>\w+)': \?$/;

/** Reads a statement. What the fake does not know throws. */
export function readStatement(text: string, parameters: readonly unknown[]): StatementWrite {
  const wanted = text.split('?').length - 1;
  if (wanted !== parameters.length) throw validationException('Number of parameters in request and statement differ');
  const insert = INSERT.exec(text)?.groups;
  if (insert !== undefined) return { Put: readInsert(text, insert, parameters) };
  const update = UPDATE.exec(text)?.groups;
  if (update !== undefined) return { Update: readUpdate(update, parameters) };
  throw new Error(`the fake does not know this statement: ${text}`);
}

type Groups = Readonly<Record<string, string>>;

function readInsert(text: string, { table, members = '' }: Groups, parameters: readonly unknown[]): PutInput {
  const names = members.split(', ').map((member) => MEMBER.exec(member)?.groups?.['name']);
  if (names.includes(undefined)) throw new Error(`the fake does not know this statement: ${text}`);
  return {
    TableName: table,
    Item: Object.fromEntries(names.map((name, place) => [name, parameters[place]])),
    ConditionExpression: 'attribute_not_exists(pk)',
  };
}

function readUpdate({ table, changes = '', condition = '' }: Groups, parameters: readonly unknown[]): UpdateInput {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  let place = 0;
  const toExpression = (text: string): string =>
    text
      .replace(/"(\w+)" IS MISSING/g, (_, name: string) => `attribute_not_exists(${named(name)})`)
      .replace(/"(\w+)"/g, (_, name: string) => named(name))
      .replace(/\?/g, () => {
        values[`:${place}`] = parameters[place];
        place += 1;
        return `:${place - 1}`;
      });
  const named = (name: string): string => {
    names[`#${name}`] = name;
    return `#${name}`;
  };
  const UpdateExpression = toExpression(changes);
  const Key = { pk: parameters[place], sk: parameters[place + 1] };
  place += 2;
  return {
    TableName: table,
    Key,
    UpdateExpression,
    ConditionExpression: `attribute_exists(pk) AND ${toExpression(condition)}`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
