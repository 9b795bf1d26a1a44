import { ArnFormat, CfnElement, Stack } from 'aws-cdk-lib';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** The permission for one action on the tasks of a cluster and on no others. */
export function tasksStatement(
  scope: IConstruct,
  cluster: ICluster,
  action: 'ecs:StopTask' | 'ecs:UpdateTaskProtection',
): PolicyStatement {
  return new PolicyStatement({
    actions: [action],
    resources: [
      Stack.of(scope).formatArn({
        service: 'ecs',
        resource: 'task',
        resourceName: `${cluster.clusterName}/*`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    ],
    conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
  });
}

/** Says why a role with such a permission names no single task. */
export function acknowledgeTasks(role: IConstruct, cluster: ICluster): void {
  const { defaultChild } = cluster.node;
  const name = CfnElement.isCfnElement(defaultChild) ? Stack.of(cluster).getLogicalId(defaultChild) : '';
  acknowledge(
    role,
    'Tasks are made and named by ECS: those of this cluster, which the condition says once more.',
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<${name}>/*]`,
  );
}
