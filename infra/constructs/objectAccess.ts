import type { IConstruct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** Says why a role with access to the files of messages names no single one. */
export function acknowledgeObjects(role: IConstruct, stage: string): void {
  acknowledge(
    role,
    'An object has no name before there is a file: these are the files of messages, in the bucket of the stage.',
    ...['*', '*/brought/*', '*/exports/*'].map(
      (names) =>
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${stage}-holdfast-media-<AWS::AccountId>-<AWS::Region>/${names}]`,
    ),
  );
}
