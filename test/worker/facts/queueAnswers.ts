import type { SendMessageBatchCommandInput, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';

/** The answer of SQS to a batch call: it accepts each entry that `refuse` gives no code for. */
export function answerBatch(
  { Entries = [] }: SendMessageBatchCommandInput,
  refuse: (entry: SendMessageBatchRequestEntry) => string | undefined = () => undefined,
) {
  const judged = Entries.map((entry) => ({ Id: entry.Id, code: refuse(entry) }));
  return {
    Successful: judged
      .filter(({ code }) => code === undefined)
      .map(({ Id }) => ({ Id, MessageId: `message-${Id}`, MD5OfMessageBody: '' })),
    Failed: judged
      .filter(({ code }) => code !== undefined)
      .map(({ Id, code }) => ({ Id, Code: code, Message: 'refused', SenderFault: code !== 'InternalError' })),
  };
}

/** The choice of a stage with one queue for facts. */
export const oneEventQueue = { of: () => Promise.resolve(0) };
