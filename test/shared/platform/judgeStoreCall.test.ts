import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { BreakerOpenError, type BreakerVerdict } from '../../../shared/platform/breaker.ts';
import { isPassing, judgeStoreCall } from '../../../shared/platform/judgeStoreCall.ts';

const OWN_MS = 5_000;
const named = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error(name), { name }, httpStatusCode === undefined ? {} : { $metadata: { httpStatusCode } });
const coded = (code: string): Error => Object.assign(new Error(code), { code });

const table: readonly (readonly [string, unknown, BreakerVerdict, 'passing' | 'for good'])[] = [
  ['our deadline', new TimeoutError('DynamoDB GetItem', OWN_MS), 'failed', 'passing'],
  ["the SDK's own time-out of a try", named('TimeoutError'), 'failed', 'passing'],
  ['a caller who has given up', named('AbortError'), 'failed', 'passing'],
  ['nobody listens', coded('ECONNREFUSED'), 'failed', 'passing'],
  ['a connection that was cut', coded('ECONNRESET'), 'failed', 'passing'],
  ['a name that is not found', coded('ENOTFOUND'), 'failed', 'passing'],
  ['500', named('InternalServerError', 500), 'failed', 'passing'],
  ['503', named('ServiceUnavailable', 503), 'failed', 'passing'],
  ['any other 5xx', named('SomethingNew', 502), 'failed', 'passing'],
  ['a condition that is not met', named('ConditionalCheckFailedException', 400), 'answered', 'for good'],
  ['a cancelled transaction', named('TransactionCanceledException', 400), 'answered', 'for good'],
  ['a request that is not valid', named('ValidationException', 400), 'answered', 'for good'],
  ['access denied', named('AccessDeniedException', 400), 'answered', 'for good'],
  ['throttling', named('ProvisionedThroughputExceededException', 400), 'answered', 'passing'],
  ['throttling of KMS', named('ThrottlingException', 400), 'answered', 'passing'],
  ['a gate that is closed', named('GateClosedError'), 'nothing', 'for good'],
  ['a defect of ours', new TypeError('x is undefined'), 'nothing', 'for good'],
  ['what is no error', 'text', 'nothing', 'for good'],
];

describe('what a store call says about the store', () => {
  it('is that it works when there is a result', () => {
    expect(judgeStoreCall({ value: undefined }, OWN_MS)).toBe('answered');
  });

  it.each(table)('%s', (_name, error, verdict, later) => {
    expect(judgeStoreCall({ error }, OWN_MS)).toBe(verdict);
    expect(isPassing(error)).toBe(later === 'passing');
  });

  it('is nothing when the gate left it less than its own time', () => {
    const error = new TimeoutError('DynamoDB GetItem', OWN_MS - 1);

    expect(judgeStoreCall({ error }, OWN_MS)).toBe('nothing');
  });

  it('passes when nobody was asked because nobody answers', () => {
    expect(isPassing(new BreakerOpenError('sqs', 2_000))).toBe(true);
  });
});
