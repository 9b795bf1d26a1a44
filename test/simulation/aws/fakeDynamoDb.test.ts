import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe } from 'vitest';
import { testCases } from './contract.ts';
import { conditionContract } from './dynamoDbConditionContract.ts';
import { itemContract } from './dynamoDbContract.ts';
import { readContract, transactionContract } from './dynamoDbReadContract.ts';
import { FakeDynamoDb } from './fakeDynamoDb.ts';

describe('the fake of DynamoDB', () => {
  const fake = new FakeDynamoDb({ unusedPlaceholders: 'refused' });
  const client = {
    send: async (command: unknown) => fake.apply(command),
  } as unknown as DynamoDBDocumentClient;

  testCases([...itemContract, ...conditionContract, ...readContract, ...transactionContract], () => client, []);
});
