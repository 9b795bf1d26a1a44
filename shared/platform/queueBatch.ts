import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';

/** The greatest number of entries that SQS accepts in one batch call, and gives in one receive. */
export const BATCH_ENTRIES = 10;

/** An entry of a batch call that SQS refused while it may have accepted the others. */
export class BatchEntryError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };

  /** @param isOurs whether the entry is at fault, and not the queue */
  constructor(code: string, message: string, isOurs: boolean) {
    super(message);
    this.name = code;
    this.$metadata = { httpStatusCode: isOurs ? 400 : 500 };
  }
}

/** The name of an entry within its call. */
export const entryId = (place: number): string => String(place);

/**
 * The failures in the answer of a batch call, by the place of the entry. An entry that the answer does not name at all
 * counts as not accepted: it may come again, and what it carries is recognised then.
 */
export function entryFailures(
  count: number,
  answer: {
    readonly Successful?: readonly { readonly Id: string | undefined }[] | undefined;
    readonly Failed?: readonly BatchResultErrorEntry[] | undefined;
  },
): ReadonlyMap<number, Error> {
  const accepted = new Set((answer.Successful ?? []).map(({ Id }) => Id));
  const refused = new Map((answer.Failed ?? []).map((failed) => [failed.Id, failed]));
  const failures = new Map<number, Error>();
  for (let place = 0; place < count; place += 1) {
    const id = entryId(place);
    if (accepted.has(id)) continue;
    const {
      Code = 'InternalError',
      Message = 'the answer does not name the entry',
      SenderFault = false,
    } = refused.get(id) ?? {};
    failures.set(place, new BatchEntryError(Code, Message, SenderFault));
  }
  return failures;
}
