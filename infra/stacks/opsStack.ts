import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { addBurnAlarms } from '../alarms/burnAlarms.ts';
import { addCanary } from './canary.ts';
import { alarmTopicName } from '../constructs/runbookAlarm.ts';
import { addDashboards } from '../dashboards/placeDashboards.ts';
import { addFleetAlarms } from '../alarms/fleetAlarms.ts';
import { addOperationsPolicy } from './operationsPolicy.ts';
import { addSavedQueries } from './queries.ts';
import type { Settings } from '../settings/settings.ts';
import { addTableAlarms } from '../alarms/tableAlarms.ts';

export interface OpsStackProps extends StackProps {
  readonly settings: Settings;
  readonly api: HttpApi;
  /** The URL at which tenants find the API. */
  readonly apiAddress: string;
  readonly service: FargateService;
}

/** The topics of the alarms, the alarms that belong to no other stack, and the dashboards. */
export class OpsStack extends Stack {
  constructor(scope: Construct, id: string, props: OpsStackProps) {
    super(scope, id, props);
    const { settings, api, apiAddress, service } = props;
    const { stage } = settings;
    if (settings.pageTopicArn === undefined) {
      for (const severity of ['page', 'ticket'] as const) this.#addTopic(settings, severity);
    }
    this.#sampleTraces(settings);
    addFleetAlarms(this, stage);
    addTableAlarms(this, stage);
    addSavedQueries(this, stage);
    addBurnAlarms(this, settings, api.apiId);
    addCanary(this, settings, apiAddress);
    addDashboards(this, settings, {
      apiId: api.apiId,
      clusterName: service.cluster.clusterName,
      serviceName: service.serviceName,
      eventQueues: settings.eventQueues,
    });
    addOperationsPolicy(this, settings, { apiId: api.apiId, serviceArn: service.serviceArn });
    this.#addOutputs(stage);
  }

  /** Adds what a person needs first after a deploy. */
  #addOutputs(stage: string): void {
    new CfnOutput(this, 'OperatorKeyCommand', {
      description: 'Makes an operator key and shows it once',
      value: `npm run ops -- create-operator-key --role admin --stage ${stage} --region ${this.region}`,
    });
    new CfnOutput(this, 'DashboardAddress', {
      description: 'What a person on call reads first',
      value: `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${stage}-holdfast`,
    });
  }

  /** Without a rule X-Ray traces one call a second of each function, and 5 % of the rest: at 10,000 connections for 70 USD a month. */
  #sampleTraces({ stage, tracePercent }: Settings): void {
    if (tracePercent === 0) return;
    new CfnSamplingRule(this, 'Traces', {
      samplingRule: {
        ruleName: `${stage}-holdfast`,
        priority: 100,
        fixedRate: tracePercent / 100,
        reservoirSize: 0,
        serviceName: `${stage}-*`,
        serviceType: '*',
        host: '*',
        httpMethod: '*',
        urlPath: '*',
        resourceArn: '*',
        version: 1,
      },
    });
  }

  #addTopic({ stage, alarmEmail }: Settings, severity: 'page' | 'ticket'): void {
    const topic = new Topic(this, severity, { topicName: alarmTopicName(stage, severity), enforceSSL: true });
    // A policy of our own replaces the one by which CloudWatch may publish, so that permission is repeated here.
    topic.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
  }
}
