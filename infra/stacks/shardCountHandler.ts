import { z } from 'zod';

/** The request of CloudFormation to a custom resource, as far as this one reads it. */
const requestSchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.object({ stage: z.string(), shardCount: z.coerce.number() }),
  OldResourceProperties: z.object({ shardCount: z.coerce.number() }).optional(),
});
type Request = z.infer<typeof requestSchema>;

/**
 * The reason why a deploy must not go on, or undefined. Fewer shards would delete queues of connections that never
 * move.
 */
export function refusalOf(request: Pick<Request, 'RequestType' | 'ResourceProperties' | 'OldResourceProperties'>) {
  const { stage, shardCount } = request.ResourceProperties;
  const before = request.OldResourceProperties?.shardCount;
  if (request.RequestType !== 'Update' || before === undefined || shardCount >= before) return undefined;
  return `shardCount: stage ${stage} has ${before} shards, and shards are only ever added (received ${shardCount})`;
}

/** How long the answer may take. CloudFormation reads it as a file in S3. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * The custom resource before the command queues: the one place that knows how many shards are deployed. It answers
 * CloudFormation itself; it throws when it cannot, and CloudFormation then ends the deploy at the resource's timeout.
 */
export async function handler(event: unknown): Promise<void> {
  const request = requestSchema.parse(event);
  const { StackId, RequestId, LogicalResourceId } = request;
  const refusal = refusalOf(request);
  const response = await fetch(request.ResponseURL, {
    method: 'PUT',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
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
}
