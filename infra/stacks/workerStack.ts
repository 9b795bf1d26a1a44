import { CfnOutput, Duration, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  Cluster,
  ContainerInsights,
  FargateService,
  type ContainerImage,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { WORKER_CONTAINER } from '../../functions/taskStopped/handler.ts';
import { healthCommand } from '../../shared/platform/healthCheck.ts';
import { accessStatements } from '../access/accessStatements.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { Handler } from '../constructs/handler.ts';
import { RunbookAlarm, type Severity } from '../constructs/runbookAlarm.ts';
import { storeEnvironment } from '../settings/environment.ts';
import { makeVpc, workerSubnets } from './network.ts';
import { smallConcurrency, type Settings } from '../settings/settings.ts';
import { addWatchdog } from './watchdog.ts';
import { scaleByUtilisation } from './workerScaling.ts';
import { makeWorkerTask } from './workerTask.ts';

export interface WorkerStackProps extends StackProps {
  readonly settings: Settings;
  /** Image of `worker/main.ts` for ARM64. */
  readonly image: ContainerImage;
  readonly dataKeyArn: string;
}

/** The lower figure is looked at in the morning, the upper one at once. */
const memoryThresholds: readonly (readonly [Severity, percent: number])[] = [
  ['ticket', 80],
  ['page', 95],
];

/** The workers: one service of tasks that hold sockets, and the function that hears when one of them has stopped. */
export class WorkerStack extends Stack {
  readonly service: FargateService;
  readonly #logGroup: LogGroup;

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
    this.#logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/holdfast/${settings.stage}/worker`,
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const nobody = new SecurityGroup(this, 'Nobody', { vpc, description: 'Nobody connects to a worker' });
    this.service = this.#addService(props, cluster as ICluster, nobody);
    this.#addRestore(props, vpc, cluster as ICluster, nobody);
    this.#addTaskStopped(settings, cluster as ICluster);
    addWatchdog(this, settings, cluster as ICluster);
    this.#addAlarms(settings);
  }

  /** Without an account CDK knows two zones only; a region has three or more. */
  override get availabilityZones(): string[] {
    return [0, 1, 2].map((index) => Fn.select(index, Fn.getAzs('')));
  }

  #addService(props: WorkerStackProps, cluster: ICluster, nobody: SecurityGroup): FargateService {
    const { settings } = props;
    const task = makeWorkerTask(this, 'Task', {
      ...props,
      process: 'worker',
      containerName: WORKER_CONTAINER,
      logGroup: this.#logGroup,
      healthCommand,
    });
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: task,
      // No count: it is the autoscaling's, and a deploy would set it back.
      ...deploymentPercents(settings.workers),
      circuitBreaker: { enable: true, rollback: true },
      // It would stop tasks, and so move sockets, for evenness alone.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      assignPublicIp: settings.network === 'public',
      vpcSubnets: workerSubnets(settings),
      securityGroups: [nobody],
      capacityProviderStrategies: [
        { capacityProvider: 'FARGATE', base: 1, weight: 100 - settings.spotPercent },
        ...(settings.spotPercent === 0 ? [] : [{ capacityProvider: 'FARGATE_SPOT', weight: settings.spotPercent }]),
      ],
    });
    scaleByUtilisation(service, settings);
    return service;
  }

  /**
   * `npm run restore` as a task of its own, with what it may do and no worker may: read the table of sessions from end to
   * end. It is started by hand, with the output's command, while the service has no workers.
   */
  #addRestore(props: WorkerStackProps, vpc: IVpc, cluster: ICluster, nobody: SecurityGroup): void {
    const { settings } = props;
    const task = makeWorkerTask(this, 'Restore', {
      ...props,
      process: 'restore',
      containerName: 'restore',
      family: `${settings.stage}-restore`,
      logGroup: this.#logGroup,
      command: ['node', 'worker/restore.ts'],
    });
    const { subnetIds } = vpc.selectSubnets(workerSubnets(settings));
    const publicIp = settings.network === 'public' ? 'ENABLED' : 'DISABLED';
    new CfnOutput(this, 'RestoreCommand', {
      description: 'Starts the last step of a restore of the table sessions (infra/runbook.md)',
      value: [
        'aws ecs run-task --launch-type FARGATE',
        `--cluster ${cluster.clusterName} --task-definition ${task.family}`,
        `--network-configuration 'awsvpcConfiguration={subnets=[${Fn.join(',', subnetIds)}],securityGroups=[${nobody.securityGroupId}],assignPublicIp=${publicIp}}'`,
      ].join(' '),
    });
  }

  /** The worker's container counts and not its task, which is reported as stopped tens of seconds later. */
  #addTaskStopped(settings: Settings, cluster: ICluster): void {
    const { lambda } = new Handler(this, 'taskStopped', {
      settings,
      name: 'task-stopped',
      entry: 'functions/taskStopped/entry.ts',
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
