import type { Resource } from './synthesizeStage.ts';

/** The property that says when kept data goes, by the resource that keeps it. */
const ends: Readonly<Record<string, (properties: Resource['properties']) => boolean>> = {
  'AWS::Logs::LogGroup': ({ RetentionInDays }) => Number(RetentionInDays) > 0,
  'AWS::SQS::Queue': ({ MessageRetentionPeriod }) => Number(MessageRetentionPeriod) > 0,
  'AWS::DynamoDB::GlobalTable': ({ TimeToLiveSpecification }) => isEnabled(TimeToLiveSpecification),
  'AWS::DynamoDB::Table': ({ TimeToLiveSpecification }) => isEnabled(TimeToLiveSpecification),
  'AWS::S3::Bucket': ({ LifecycleConfiguration }) => LifecycleConfiguration !== undefined,
  'AWS::ECR::Repository': ({ LifecyclePolicy }) => LifecyclePolicy !== undefined,
};

function isEnabled(specification: unknown): boolean {
  return (specification as { readonly Enabled?: boolean } | undefined)?.Enabled === true;
}

/** What keeps things for ever. */
export function withoutRetention(resources: readonly Resource[]): readonly string[] {
  return resources.filter(({ type, properties }) => ends[type]?.(properties) === false).map(({ id }) => id);
}
