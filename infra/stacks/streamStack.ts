import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Port, SecurityGroup, SubnetType, type IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  AwsLogDriverMode,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
  type ContainerImage,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  HttpCodeElb,
  HttpCodeTarget,
  ListenerAction,
  ListenerCondition,
  SslPolicy,
  TargetGroupLoadBalancingAlgorithmType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import { STREAM_PATH } from '../../functions/stream/streamRoute.ts';
import { accessStatements } from '../access/accessStatements.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { makeLogGroup } from '../constructs/logGroup.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { streamEnvironment } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import { STREAM_CPU, STREAM_MEMORY_MIB, STREAM_PORT } from '../settings/streams.ts';
import { workerSubnets } from './network.ts';

export interface StreamStackProps extends StackProps {
  readonly settings: Settings;
  /** The name at which streams are served, and the certificate for it. */
  readonly front: { readonly domainName: string; readonly certificateArn: string };
  /** The image of `functions/stream/main.ts` for ARM64. */
  readonly image: ContainerImage;
  /** The network and the cluster of the workers. */
  readonly vpc: IVpc;
  readonly cluster: ICluster;
}

/** How long the load balancer keeps a connection on which nothing comes, in seconds: four beats of a stream. */
const IDLE_SECONDS = 60;
/**
 * How long no new stream goes to a task that is to stop, before it is told, in seconds. Its streams go on meanwhile; then each tells
 * its client to come again.
 */
const LEAVE_SECONDS = 5;
/** A drain takes 25 s at most (functions/stream/streamServer.ts). */
const STOP_SECONDS = 40;
/** CPU grows with events and memory with streams: what is short first adds a task. */
const TARGET_PERCENT = { cpu: 50, memory: 65 } as const;
const HEAP_SHARE = 0.75;
/** The user `node` of Node's images. */
const USER = '1000:1000';

/**
 * The stream service: tasks that read the event log for `GET /v1/events/stream`, and the load balancer in front of them. A function
 * cannot do it: API Gateway passes no answer on before it has ended, and each open stream would be a running function.
 */
export class StreamStack extends Stack {
  constructor(scope: Construct, id: string, props: StreamStackProps) {
    super(scope, id, props);
    const { settings, vpc, front } = props;
    const inside = new SecurityGroup(this, 'Inside', { vpc, description: 'The tasks that serve streams' });
    const service = this.#addService(props, this.#makeTask(props), inside);
    const balancer = this.#addBalancer(vpc, inside);
    const targets = this.#addFront(balancer, service, vpc, front.certificateArn);
    this.#addAlarms(settings, service, balancer, targets);
    new CfnOutput(this, 'StreamAddress', {
      description: 'Where streams of events are served',
      value: `https://${front.domainName}${STREAM_PATH}`,
    });
    new CfnOutput(this, 'StreamTarget', {
      description: `Make ${front.domainName} an alias or CNAME of this`,
      value: balancer.loadBalancerDnsName,
    });
  }

  #makeTask({ settings, image }: StreamStackProps): FargateTaskDefinition {
    const logGroup = makeLogGroup(this, 'Logs', settings, 'stream');
    const task = new FargateTaskDefinition(this, 'StreamTask', {
      family: `${settings.stage}-stream`,
      cpu: STREAM_CPU,
      memoryLimitMiB: STREAM_MEMORY_MIB,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    for (const statement of accessStatements(this, settings, 'stream')) task.addToTaskRolePolicy(statement);
    task.addContainer('stream', {
      containerName: 'stream',
      image,
      memoryLimitMiB: STREAM_MEMORY_MIB,
      user: USER,
      readonlyRootFilesystem: true,
      stopTimeout: Duration.seconds(STOP_SECONDS),
      portMappings: [{ containerPort: STREAM_PORT }],
      environment: {
        ...streamEnvironment(this, settings, this.region),
        NODE_OPTIONS: `--max-old-space-size=${Math.floor(STREAM_MEMORY_MIB * HEAP_SHARE)}`,
      },
      logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'stream', mode: AwsLogDriverMode.NON_BLOCKING }),
    });
    acknowledge(task, 'None of the variables is a secret.', 'AwsSolutions-ECS2');
    acknowledge(
      task,
      'Asking ECR for a token knows no resources; what may be pulled with it is this image alone.',
      'AwsSolutions-IAM5[Resource::*]',
    );
    return task;
  }

  #addService(
    { settings, cluster, vpc }: StreamStackProps,
    task: FargateTaskDefinition,
    inside: SecurityGroup,
  ): FargateService {
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: task,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      healthCheckGracePeriod: Duration.seconds(60),
      propagateTags: PropagatedTagSource.SERVICE,
      assignPublicIp: settings.network === 'public',
      vpcSubnets: workerSubnets(settings),
      securityGroups: [inside],
    });
    const { internetConnectivityEstablished } = vpc.selectSubnets(workerSubnets(settings));
    service.node.addDependency(internetConnectivityEstablished, task.obtainExecutionRole());
    const scaling = service.autoScaleTaskCount({
      minCapacity: settings.streamTasks,
      maxCapacity: settings.streamTasksMost,
    });
    const pace = { scaleOutCooldown: Duration.minutes(2), scaleInCooldown: Duration.minutes(15) };
    scaling.scaleOnCpuUtilization('Cpu', { ...pace, targetUtilizationPercent: TARGET_PERCENT.cpu });
    scaling.scaleOnMemoryUtilization('Memory', { ...pace, targetUtilizationPercent: TARGET_PERCENT.memory });
    return service;
  }

  #addBalancer(vpc: IVpc, inside: SecurityGroup): ApplicationLoadBalancer {
    const outside = new SecurityGroup(this, 'Outside', {
      vpc,
      description: 'The load balancer of the streams',
      allowAllOutbound: false,
    });
    const balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      internetFacing: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroup: outside,
      idleTimeout: Duration.seconds(IDLE_SECONDS),
      dropInvalidHeaderFields: true,
    });
    inside.addIngressRule(outside, Port.tcp(STREAM_PORT), 'Streams come through the load balancer alone');
    outside.addEgressRule(inside, Port.tcp(STREAM_PORT), 'To the tasks');
    acknowledge(
      balancer,
      'The service logs each stream, when it is opened or refused and when it ends; a log of the balancer would have the tickets of browsers.',
      'AwsSolutions-ELB2',
    );
    acknowledge(outside, 'Tenants are everywhere, and so are their servers.', 'AwsSolutions-EC23');
    return balancer;
  }

  #addFront(
    balancer: ApplicationLoadBalancer,
    service: FargateService,
    vpc: IVpc,
    certificateArn: string,
  ): ApplicationTargetGroup {
    const targets = new ApplicationTargetGroup(this, 'Tasks', {
      vpc,
      port: STREAM_PORT,
      protocol: ApplicationProtocol.HTTP,
      targets: [service],
      // A stream stays for minutes: taking turns would leave a new task nearly empty.
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.seconds(LEAVE_SECONDS),
      healthCheck: {
        path: '/health',
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
    });
    const listener = balancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      certificates: [Certificate.fromCertificateArn(this, 'Certificate', certificateArn)],
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      defaultAction: ListenerAction.fixedResponse(404, {
        contentType: 'text/plain',
        messageBody: `Only GET ${STREAM_PATH} is served here.`,
      }),
    });
    listener.addAction('Streams', {
      priority: 1,
      conditions: [ListenerCondition.pathPatterns([STREAM_PATH]), ListenerCondition.httpRequestMethods(['GET'])],
      action: ListenerAction.forward([targets]),
    });
    return targets;
  }

  #addAlarms(
    { stage, streamTasks }: Settings,
    service: FargateService,
    balancer: ApplicationLoadBalancer,
    targets: ApplicationTargetGroup,
  ): void {
    const period = Duration.minutes(5);
    new RunbookAlarm(this, 'streams-missing', {
      stage,
      severity: 'ticket',
      // Each task adds one sample a minute, so the number of samples is the number of tasks.
      metric: service.metricCpuUtilization({ statistic: 'SampleCount', period: Duration.minutes(1) }),
      threshold: streamTasks,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 5,
      missingData: TreatMissingData.BREACHING,
      heading: 'Streams fail',
      sentence: `For 5 minutes fewer than ${streamTasks} tasks served streams.`,
    });
    for (const [name, metric, sentence] of [
      [
        'streams-unreachable',
        balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { period, statistic: 'Sum' }),
        'the load balancer found no task for 10 streams or more.',
      ],
      [
        'streams-failing',
        targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { period, statistic: 'Sum' }),
        '10 streams or more were answered with 5xx.',
      ],
    ] as const) {
      new RunbookAlarm(this, name, {
        stage,
        severity: 'ticket',
        metric,
        threshold: 10,
        heading: 'Streams fail',
        sentence: `Within 5 minutes ${sentence}`,
      });
    }
  }
}
