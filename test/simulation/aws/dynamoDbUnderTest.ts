import { randomUUID } from 'node:crypto';
import {
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { ContractCase } from './contract.ts';

/** What the contract is about: the fake or the emulator, behind the document client's `send`. */
export type DynamoDbUnderTest = Pick<DynamoDBDocumentClient, 'send'>;
export type DynamoDbCase = ContractCase<DynamoDbUnderTest>;

export const CORE = 'contract-core';

/** A key in a partition that no other case uses. */
export const aKey = (sk = 'sk') => ({ pk: `pk-${randomUUID()}`, sk });

export async function read(service: DynamoDbUnderTest, Key: { readonly pk: string; readonly sk: string }) {
  return (await service.send(new GetCommand({ TableName: CORE, Key, ConsistentRead: true }))).Item;
}

export const put = (service: DynamoDbUnderTest, Item: Record<string, unknown>) =>
  service.send(new PutCommand({ TableName: CORE, Item }));

export type Update = Omit<UpdateCommandInput, 'TableName' | 'Key'>;

export const update = (service: DynamoDbUnderTest, Key: { readonly pk: string; readonly sk: string }, input: Update) =>
  service.send(new UpdateCommand({ TableName: CORE, Key, ...input }));

/** A value of every type that the product stores, but bytes. */
export const everyType = {
  text: 'a',
  number: 1,
  yes: true,
  nothing: null,
  list: [1, 'b', [true]],
  map: { inner: { deep: 2 }, empty: '' },
};
