import { isPassing } from './judgeStoreCall.ts';

/**
 * The meaning of a failed call to a store or a queue for the content that was to be written.
 *
 * - `passing`: the call may succeed later with the same content. Nobody answered, it was too much at a time, another
 * write
 * was in the way, or we may not or cannot reach the service at the moment. The caller tries again, or waits, and loses
 * nothing.
 * - `permanent`: this content is refused, each time anew. To try again would hold up all that comes behind; the content
 * is
 * recorded without the part that made it impossible, and the rest goes on.
 */
export type FailureKind = 'passing' | 'permanent';

/**
 * Kinds of failures by name of the error, or of the reason for which a transaction was cancelled. `docs/failures.md`
 * shows the same table.
 */
export const failureTable: Readonly<Record<string, FailureKind>> = {
  // These are about the content.
  ValidationException: 'permanent',
  ValidationError: 'permanent',
  SerializationException: 'permanent',
  ItemCollectionSizeLimitExceeded: 'permanent',
  ItemCollectionSizeLimitExceededException: 'permanent',
  InvalidMessageContents: 'permanent',
  InvalidParameterValue: 'permanent',
  InvalidParameterValueException: 'permanent',
  InvalidParameterCombination: 'permanent',
  MissingParameter: 'permanent',
  BatchRequestTooLong: 'permanent',
  BatchEntryIdsNotDistinct: 'permanent',
  InvalidBatchEntryId: 'permanent',
  RequestEntityTooLarge: 'permanent',
  RequestTooLarge: 'permanent',
  EntityTooLarge: 'permanent',
  MessageTooLong: 'permanent',
  // Our own code throws these over the content in its hands: the same content throws again.
  TypeError: 'permanent',
  RangeError: 'permanent',
  SyntaxError: 'permanent',
  URIError: 'permanent',
  ZodError: 'permanent',
  // These are about another write, or the order of writes.
  ConditionalCheckFailedException: 'passing',
  ConditionalCheckFailed: 'passing',
  TransactionConflict: 'passing',
  TransactionConflictException: 'passing',
  TransactionInProgressException: 'passing',
  TransactionCanceledException: 'passing',
  IdempotentParameterMismatchException: 'passing',
  // These are for operators to put right: no content is to blame, and none is given up for them.
  AccessDenied: 'passing',
  AccessDeniedException: 'passing',
  UnrecognizedClientException: 'passing',
  InvalidClientTokenId: 'passing',
  InvalidSignatureException: 'passing',
  SignatureDoesNotMatch: 'passing',
  IncompleteSignature: 'passing',
  MissingAuthenticationToken: 'passing',
  MissingAuthenticationTokenException: 'passing',
  ExpiredToken: 'passing',
  ExpiredTokenException: 'passing',
  CredentialsProviderError: 'passing',
  OptInRequired: 'passing',
  ResourceNotFoundException: 'passing',
  QueueDoesNotExist: 'passing',
  'AWS.SimpleQueueService.NonExistentQueue': 'passing',
  QueueDeletedRecently: 'passing',
  OverLimit: 'passing',
  LimitExceededException: 'passing',
  ResourceInUseException: 'passing',
  KmsAccessDenied: 'passing',
  KmsDisabled: 'passing',
  KmsInvalidState: 'passing',
  KmsNotFound: 'passing',
  KmsThrottled: 'passing',
  DisabledException: 'passing',
  KMSInvalidStateException: 'passing',
  NotFoundException: 'passing',
};

interface AwsError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly CancellationReasons?: readonly { readonly Code?: string; readonly Message?: string }[];
}

/**
 * Judges a failure. A name that is not in the table is judged by its kind: time-outs, throttling, networks, 5xx and all
 * that is no answer of a service pass; an answer of 4xx does not.
 */
export function judgeFailure(error: unknown): FailureKind {
  if (!(error instanceof Error) || isPassing(error)) return 'passing';
  const { name, $metadata, CancellationReasons } = error as AwsError;
  const reasons = (CancellationReasons ?? []).map(({ Code }) => failureTable[Code ?? '']);
  if (reasons.includes('permanent')) return 'permanent';
  // The SDK writes the name of an error of SQS with or without the service.
  const known = own(name) ?? own(name.replace(/^.*[.#]/, ''));
  if (known !== undefined) return known;
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500 ? 'permanent' : 'passing';
}

function own(name: string): FailureKind | undefined {
  return Object.hasOwn(failureTable, name) ? failureTable[name] : undefined;
}

const TOO_LARGE = /size has exceeded|too large|too long|exceeds? the maximum|must be shorter|larger than/i;

/** The reason why content was refused: its size, or something in it. */
export function refusalOf(error: unknown): 'malformed' | 'too_large' {
  const { name, message, CancellationReasons } = error as AwsError;
  const said = [name, message, ...(CancellationReasons ?? []).map(({ Message }) => Message)].join(' ');
  return TOO_LARGE.test(said) || /TooL(arge|ong)|SizeLimit/.test(name) ? 'too_large' : 'malformed';
}
