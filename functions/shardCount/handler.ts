import { z } from 'zod';

/** What is only ever added: shards, because connections never move between them, and queues of events. */
const counts = { shardCount: z.coerce.number(), eventQueues: z.coerce.number() };

/** The request of CloudFormation to a custom resource, as far as this one reads it. */
const requestSchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.object({ stage: z.string(), ...counts }),
  OldResourceProperties: z.object(counts).optional(),
});
type Request = z.infer<typeof requestSchema>;

/**
 * The reason why a deploy must not go on, or undefined. Fewer shards would delete queues of connections that never
 * move, and fewer queues of events would delete facts. A deploy that fails is taken back by the same update the other
 * way round; what it takes back was added moments ago and holds nothing, and a refusal would leave the stack stuck.
 * @param stackStatus of CloudFormation, while the request is under way
 */
export function refusalOf(
  request: Pick<Request, 'RequestType' | 'ResourceProperties' | 'OldResourceProperties'>,
  stackStatus: string,
): string | undefined {
  const { ResourceProperties: now, OldResourceProperties: before } = request;
  if (request.RequestType !== 'Update' || before === undefined || isRollback(stackStatus)) return undefined;
  if (now.shardCount < before.shardCount) {
    return `shardCount: stage ${now.stage} has ${before.shardCount} shards, and shards are only ever added (received ${now.shardCount})`;
  }
  if (now.eventQueues < before.eventQueues) {
    return `eventQueues: stage ${now.stage} has ${before.eventQueues} queues for events, and queues are only ever added (received ${now.eventQueues})`;
  }
  return undefined;
}

/** Source: CloudFormation User Guide, "Stack status codes". */
function isRollback(stackStatus: string): boolean {
  return stackStatus.startsWith('UPDATE_ROLLBACK_');
}

/** How long the answer may take. CloudFormation reads it as a file in S3. */
const ANSWER_WITHIN_MS = 10_000;

/** Asks CloudFormation what it is doing with a stack. */
export type AskStatus = (stackId: string) => Promise<string>;

/**
 * The custom resource before the command queues: the one place that knows how many shards are deployed. It answers
 * CloudFormation itself; it throws when it cannot, and CloudFormation then ends the deploy at the resource's timeout.
 */
export function makeShardCountHandler(askStatus: AskStatus): (event: unknown) => Promise<void> {
  return async (event) => {
    const request = requestSchema.parse(event);
    const { StackId, RequestId, LogicalResourceId } = request;
    // The status matters only where something becomes fewer, so that nothing else depends on the question.
    const isRefused = refusalOf(request, '') !== undefined;
    const refusal = isRefused ? refusalOf(request, await askStatus(StackId)) : undefined;
    const response = await fetch(request.ResponseURL, {
      method: 'PUT',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      // The URL is signed for a request without a content type; with one, S3 refuses the signature.
      headers: { 'content-type': '' },
      body: JSON.stringify({
        Status: refusal === undefined ? 'SUCCESS' : 'FAILED',
        ...(refusal === undefined ? {} : { Reason: refusal }),
        PhysicalResourceId: request.PhysicalResourceId ?? LogicalResourceId,
        StackId,
        RequestId,
        LogicalResourceId,
      }),
    });
    if (!response.ok) throw new Error(`CloudFormation did not take the answer: ${response.status}`);
  };
}
