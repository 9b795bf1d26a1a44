import {
  CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { awsSettings, type AwsPlace } from './awsSettings.ts';
import type { ReadOutputs } from './stageOutputs.ts';

/** Reads outputs from CloudFormation. */
export function makeReadOutputs(place: AwsPlace): ReadOutputs {
  return async (stack) => {
    const client = new CloudFormationClient(awsSettings(place));
    try {
      const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
      return Object.fromEntries(
        (Stacks[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
      );
    } catch (error) {
      // CloudFormation has no error of its own for a stack that is not there.
      if (error instanceof CloudFormationServiceException && error.message.endsWith(' does not exist'))
        return undefined;
      throw error;
    } finally {
      client.destroy();
    }
  };
}
