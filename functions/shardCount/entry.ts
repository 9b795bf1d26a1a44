/** The function of the guard before the command queues, as Lambda loads it. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { makeShardCountHandler } from './handler.ts';

const cloudFormation = new CloudFormationClient({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
});

export const handler = makeShardCountHandler(async (stackId) => {
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackId }));
  return Stacks[0]?.StackStatus ?? '';
});
