import { Duration, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  AwsLogDriverMode,
  Cluster,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  type ContainerImage,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { WORKER_CONTAINER } from '../functions/taskStopped.ts';
import { accessStatements, dataKeyStatement } from './accessStatements.ts';
import { acknowledge } from './constructs/acknowledge.ts';
import { Handler } from './constructs/handler.ts';
import { RunbookAlarm, type Severity } from './constructs/runbookAlarm.ts';
import { storeEnvironment, workerEnvironment } from './environment.ts';
import { makeVpc, workerSubnets } from './network.ts';
import { smallConcurrency, type Settings } from './settings.ts';
import { addWatchdog } from './watchdog.ts';

export interface WorkerStackProps extends StackProps {
  readonly settings: Settings;
  /** Image of `worker/main.ts` for ARM64. */
  readonly image: ContainerImage;
  readonly dataKeyArn: string;
}

/** Most that Fargate allows; a drain takes up to 100 s. */
const STOP_SECONDS = 120;
/** The user `node` of Node's images. */
const USER = '1000:1000';
/** REQUIREMENTS R22: the lower figure is looked at in the morning, the upper one at once. */
const memoryThresholds: readonly (readonly [Severity, percent: number])[] = [
  ['ticket', 80],
  ['page', 95],
];

/** The workers: one service of tasks that hold sockets, and the function that hears when one of them has stopped. */
export class WorkerStack extends Stack {
  readonly service: FargateService;

  constructor(scope: Construct, id: string, props: WorkerStackProps) {
    super(scope, id, props);
    const { settings } = props;
    const vpc = makeVpc(this, settings);
    const cluster = new Cluster(this, 'Cluster', {
      vpc,
      enableFargateCapacityProviders: true,
      containerInsightsV2: ContainerInsights.DISABLED,
    });
    acknowledge(
      cluster,
      "The service's own CPU and memory metrics cost nothing, and the workers say the rest themselves.",
      'AwsSolutions-ECS4',
    );
    this.service = this.#addService(props, cluster as ICluster, vpc);
    this.#addTaskStopped(settings, cluster as ICluster);
    addWatchdog(this, settings, cluster as ICluster);
    this.#addAlarms(settings);
  }

  /** Without an account CDK knows two zones only; a region has three or more. */
  override get availabilityZones(): string[] {
    return [0, 1, 2].map((index) => Fn.select(index, Fn.getAzs('')));
  }

  #addService(props: WorkerStackProps, cluster: ICluster, vpc: IVpc): FargateService {
    const { settings } = props;
    const task = this.#makeTask(props);
    const securityGroup = new SecurityGroup(this, 'Nobody', { vpc, description: 'Nobody connects to a worker' });
    return new FargateService(this, 'Service', {
      cluster,
      taskDefinition: task,
      desiredCount: settings.workers,
      ...deploymentPercents(settings.workers),
      circuitBreaker: { enable: true, rollback: true },
      // It would stop tasks, and so move sockets, for evenness alone.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      assignPublicIp: settings.network === 'public',
      vpcSubnets: workerSubnets(settings),
      securityGroups: [securityGroup],
      capacityProviderStrategies: [
        { capacityProvider: 'FARGATE', base: 1, weight: 100 - settings.spotPercent },
        ...(settings.spotPercent === 0 ? [] : [{ capacityProvider: 'FARGATE_SPOT', weight: settings.spotPercent }]),
      ],
    });
  }

  #makeTask({ settings, image, dataKeyArn }: WorkerStackProps): FargateTaskDefinition {
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/holdfast/${settings.stage}/worker`,
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const task = new FargateTaskDefinition(this, 'Task', {
      cpu: settings.workerCpu,
      memoryLimitMiB: settings.workerMemoryMib,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    for (const statement of accessStatements(this, settings, 'worker')) task.addToTaskRolePolicy(statement);
    task.addToTaskRolePolicy(dataKeyStatement(dataKeyArn));
    task.addContainer(WORKER_CONTAINER, {
      containerName: WORKER_CONTAINER,
      image,
      user: USER,
      readonlyRootFilesystem: true,
      stopTimeout: Duration.seconds(STOP_SECONDS),
      environment: workerEnvironment(this, settings, this.region, dataKeyArn),
      // A log that CloudWatch does not take must not stop the event loop, and heartbeats with it.
      logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'worker', mode: AwsLogDriverMode.NON_BLOCKING }),
    });
    acknowledge(task, 'None of the variables is a secret: keys are named, never given.', 'AwsSolutions-ECS2');
    acknowledge(
      task,
      'Asking ECR for a token knows no resources; what may be pulled with it is this image alone.',
      'AwsSolutions-IAM5[Resource::*]',
    );
    return task;
  }

  /** The worker's container counts and not its task, which is reported as stopped tens of seconds later. */
  #addTaskStopped(settings: Settings, cluster: ICluster): void {
    const { lambda } = new Handler(this, 'taskStopped', {
      settings,
      name: 'task-stopped',
      entry: 'functions/entry/taskStopped.ts',
      timeoutSeconds: 30,
      reservedConcurrency: smallConcurrency.taskStopped,
      environment: storeEnvironment(this, settings),
      statements: accessStatements(this, settings, 'taskStopped'),
    });
    new Rule(this, 'WorkerStopped', {
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          clusterArn: [cluster.clusterArn],
          containers: { name: [WORKER_CONTAINER], lastStatus: ['STOPPED'] },
        },
      },
      // By then the other workers have seen the death themselves.
      targets: [new LambdaFunction(lambda, { maxEventAge: Duration.minutes(5) })],
    });
  }

  #addAlarms({ stage, workers }: Settings): void {
    const minute = Duration.minutes(1);
    for (const [severity, percent] of memoryThresholds) {
      new RunbookAlarm(this, `worker-memory-${severity}`, {
        stage,
        severity,
        metric: this.service.metricMemoryUtilization({ statistic: 'Maximum', period: minute }),
        threshold: percent,
        periods: 5,
        heading: 'Worker memory is short',
        sentence: `For 5 minutes a worker used ${percent} % of its memory or more.`,
      });
    }
    new RunbookAlarm(this, 'worker-cpu', {
      stage,
      severity: 'ticket',
      metric: this.service.metricCpuUtilization({ statistic: 'Maximum', period: minute }),
      threshold: 85,
      periods: 10,
      heading: 'Worker CPU is short',
      sentence: 'For 10 minutes a worker used 85 % of its CPU or more.',
    });
    new RunbookAlarm(this, 'workers-missing', {
      stage,
      severity: 'page',
      // Each task adds one sample a minute, so samples are tasks.
      metric: this.service.metricCpuUtilization({ statistic: 'SampleCount', period: minute }),
      threshold: workers,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 5,
      missingData: TreatMissingData.BREACHING,
      heading: 'Workers are missing',
      sentence: `For 5 minutes fewer than ${workers} workers were running.`,
    });
  }
}

/** A quarter more at once, and at least one: a deploy moves a part of the sockets at a time and never has too few workers. */
export function deploymentPercents(workers: number): { minHealthyPercent: number; maxHealthyPercent: number } {
  return { minHealthyPercent: 100, maxHealthyPercent: 100 + Math.max(25, Math.ceil(100 / workers)) };
}
