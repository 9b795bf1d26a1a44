import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { BreakerOpenError } from '../../../shared/platform/breaker.ts';
import { judgeFailure, refusalOf } from '../../../shared/platform/judgeFailure.ts';
import { failedAtStore } from '../../../shared/platform/storeFailure.ts';

const answer = (name: string, httpStatusCode: number, more: object = {}): Error =>
  Object.assign(new Error(`${name} was said`), { name, $metadata: { httpStatusCode }, ...more });
const cancelled = (...codes: readonly string[]): Error =>
  answer('TransactionCanceledException', 400, { CancellationReasons: codes.map((Code) => ({ Code })) });

describe('the judgement of a failure', () => {
  it.each<readonly [string, Error]>([
    ['a time-out', new TimeoutError('DynamoDB PutItem', 5_000)],
    ['an open breaker', new BreakerOpenError('dynamodb', 1_000)],
    ['a server that does not work', answer('Whatever', 500)],
    ['throttling', answer('ThrottlingException', 400)],
    ['a conflict', cancelled('None', 'TransactionConflict')],
    ['a condition', answer('ConditionalCheckFailedException', 400)],
    ['rights that are missing', answer('AccessDeniedException', 400)],
    ['a queue that is missing', answer('com.amazonaws.sqs#QueueDoesNotExist', 400)],
    ['a failure that is nobody’s answer', new Error('the gate is closed')],
  ])('takes for passing: %s', (_what, error) => {
    expect(judgeFailure(error)).toBe('passing');
  });

  it.each<readonly [string, Error]>([
    ['an item that is too large', answer('ValidationException', 400)],
    ['characters that the queue does not take', answer('InvalidMessageContents', 400)],
    ['one bad write of a transaction', cancelled('None', 'ValidationError')],
    ['an answer of 4xx that nobody has met', answer('NeverHeardOf', 413)],
    ['a time that is none', new RangeError('Invalid time value')],
  ])('takes for permanent: %s', (_what, error) => {
    expect(judgeFailure(error)).toBe('permanent');
  });

  it('is not misled by the name of what every object has', () => {
    expect(judgeFailure(answer('constructor', 500))).toBe('passing');
  });

  it('tells size from nonsense', () => {
    expect(
      refusalOf(
        Object.assign(new Error('Item size has exceeded the maximum allowed size'), { name: 'ValidationException' }),
      ),
    ).toBe('too_large');
    expect(refusalOf(answer('InvalidMessageContents', 400))).toBe('malformed');
  });
});

describe('what failed at a store of ours', () => {
  it('is found however deep it lies', () => {
    expect(failedAtStore(new Error('outer', { cause: answer('InternalServerError', 500) }))).toBe(true);
    expect(failedAtStore(new TimeoutError('publishing facts', 10))).toBe(true);
    expect(failedAtStore(new BreakerOpenError('sqs', 1_000))).toBe(true);
  });

  it('is not what WhatsApp or a library says', () => {
    expect(failedAtStore(new Error('Connection Closed'))).toBe(false);
    expect(failedAtStore(new TimeoutError('handling a stanza', 10))).toBe(false);
    expect(failedAtStore('nothing')).toBe(false);
  });
});
