import type { KnownDifference } from './contract.ts';
import { conditionContract } from './dynamoDbConditionContract.ts';
import { itemContract } from './dynamoDbItemContract.ts';
import { dynamoDbProperties } from './dynamoDbProperties.ts';
import { readContract } from './dynamoDbReadContract.ts';
import { statementContract } from './dynamoDbStatementContract.ts';
import { transactionContract } from './dynamoDbTransactionContract.ts';
import type { DynamoDbCase } from './dynamoDbUnderTest.ts';
import { writeContract } from './dynamoDbWriteContract.ts';

/** What the product may expect of DynamoDB, as cases that the fake and the emulator are both held to. */
export const dynamoDbContract: readonly DynamoDbCase[] = [
  ...itemContract,
  ...writeContract,
  ...conditionContract,
  ...readContract,
  ...transactionContract,
  ...statementContract,
  ...dynamoDbProperties,
];

/**
 * Where Amazon's DynamoDB Local (1.25.1), on which `npm run judge` plays the same cases, does not do what AWS does. The
 * product depends on none of these: its updates that only remove have a condition that no absent item meets, and its
 * transactions name each item once and compute nothing out of what is not there.
 */
export const dynamoDbLocalDifferences: readonly KnownDifference[] = [
  { case: 'an update that only removes makes no item', reason: 'It makes one of its key alone.' },
  {
    case: 'a transaction does nothing if one of its changes cannot be computed',
    reason: 'It does nothing, and refuses the request as invalid instead of the transaction.',
  },
  {
    case: 'a transaction touches an item once',
    reason: 'It refuses the transaction instead of the request.',
  },
];

/** Where the emulator (dynoxide 1.2.1) does not do what AWS does. */
export const dynamoDbDifferences: readonly KnownDifference[] = [
  {
    case: 'an update that only removes makes no item',
    reason: 'It makes one of its key alone. That AWS does not is what ScyllaDB Alternator says of it.',
  },
  {
    case: 'an update of an absent item returns no old item',
    reason: 'It returns the key, as if there had been an item of nothing else.',
  },
  { case: 'n < :v {":v":true} is invalid', reason: 'It takes values that have no order, and the condition is false.' },
  { case: 'n < :v {":v":null} is invalid', reason: 'It takes values that have no order, and the condition is false.' },
  {
    case: 'a query may name its sort key before its partition',
    reason: 'It reads the parts of a key condition in one order only.',
  },
  {
    case: 'a page may not begin in another partition',
    reason: 'It does not compare the start with what is asked.',
  },
  {
    case: 'a page may not begin outside of what the query takes',
    reason: 'It does not compare the start with what is asked.',
  },
];
