import { Alias, type Function as LambdaFunctionResource, type IAlias, type IVersion } from 'aws-cdk-lib/aws-lambda';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/**
 * A function behind the alias `live`: a new version takes a tenth of the calls for five minutes, then all of them. When
 * the alarm sounds meanwhile, the alias goes back to the version before, and so does the deploy. Both versions run side
 * by side for these minutes: each reads what the other wrote.
 */
export class GradualDeploy extends Construct {
  readonly alias: IAlias;

  constructor(scope: Construct, id: string, lambda: LambdaFunctionResource, alarm: Alarm) {
    super(scope, id);
    // CDK's classes do not say `| undefined` where their interfaces do.
    const alias = new Alias(this, 'Live', { aliasName: 'live', version: lambda.currentVersion as IVersion });
    const group = new LambdaDeploymentGroup(this, 'Group', {
      alias,
      deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
      alarms: [alarm],
      // An alarm that cannot be read must not let a faulty version through.
      ignorePollAlarmsFailure: false,
    });
    acknowledge(
      group,
      'The policy that AWS keeps for CodeDeploy is limited to functions and alarms; its actions change with the service.',
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
    );
    this.alias = alias as IAlias;
  }
}
