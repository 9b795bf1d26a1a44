import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { statementsOf } from '../access/accessStatements.ts';
import { operatorAccess } from '../access/operatorAccess.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { Settings } from '../settings/settings.ts';

/** What `npm run ops` calls beside tables and queues, with the resources that it may call it for. */
const calls = {
  outputs: ['cloudformation:DescribeStacks'],
  scaling: ['application-autoscaling:DescribeScalableTargets', 'application-autoscaling:RegisterScalableTarget'],
  service: ['ecs:DescribeServices', 'ecs:UpdateService'],
  throttle: ['apigateway:GET', 'apigateway:PATCH'],
} as const;

/** Adds the managed policy `<stage>-operations`: a person's role with it can do all that `npm run ops` does, and no more. */
export function addOperationsPolicy(
  scope: Construct,
  settings: Settings,
  place: { readonly apiId: string; readonly serviceArn: string },
): void {
  const { stage } = settings;
  const stack = Stack.of(scope);
  const target = stack.formatArn({
    service: 'application-autoscaling',
    resource: 'scalable-target',
    resourceName: '*',
  });
  const resources: Readonly<Record<keyof typeof calls, string>> = {
    outputs: stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: `${stage}-*` }),
    scaling: target,
    service: place.serviceArn,
    throttle: stack.formatArn({
      service: 'apigateway',
      account: '',
      resource: '/apis',
      resourceName: `${place.apiId}/stages/$default`,
    }),
  };
  const policy = new ManagedPolicy(scope, 'Operations', {
    managedPolicyName: `${stage}-operations`,
    description: `All that npm run ops does on the stage ${stage}`,
    statements: [
      ...statementsOf(scope, settings, operatorAccess.operations),
      ...(Object.keys(calls) as (keyof typeof calls)[]).map(
        (name) => new PolicyStatement({ actions: [...calls[name]], resources: [resources[name]] }),
      ),
    ],
  });
  acknowledge(
    policy,
    'Stacks and scalable targets have ids that AWS makes: the stacks are those of the stage, and a target is named by its service in each call.',
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/${stage}-*]`,
    'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:application-autoscaling:<AWS::Region>:<AWS::AccountId>:scalable-target/*]',
  );
}
