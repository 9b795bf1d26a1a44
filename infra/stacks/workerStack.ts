import { CfnOutput, Duration, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  type CfnCluster,
  Cluster,
  ContainerInsights,
  FargateService,
  PropagatedTagSource,
  type ContainerImage,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { WORKER_CONTAINER } from '../../functions/taskStopped/handler.ts';
import { healthCommand } from '../../shared/platform/healthCheck.ts';
import { accessStatements } from '../access/accessStatements.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { makeLogGroup } from '../constructs/logGroup.ts';
import { Handler } from '../constructs/handler.ts';
import { RunbookAlarm, type Severity } from '../constructs/runbookAlarm.ts';
import { storeEnvironment } from '../settings/environment.ts';
import { makeVpc, workerSubnets } from './network.ts';
import { deploymentPercents } from '../settings/deployPace.ts';
import { smallConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';
import { acknowledgeTasks, tasksStatement } from '../constructs/ownTasks.ts';
import { addWatchdog } from './watchdog.ts';
import { scaleByUtilisation } from './workerScaling.ts';
import { makeWorkerTask } from './workerTask.ts';

export interface WorkerStackProps extends StackProps {
  readonly settings: Settings;
  /** The image of `worker/main.ts` for ARM64. */
  readonly image: ContainerImage;
  readonly dataKeyArn: string;
}

/** The lower figure is looked at in the morning, the upper one at once. */
const memoryThresholds: readonly (readonly [Severity, percent: number])[] = [
  ['ticket', 80],
  ['page', 95],
];

/**
 * The workers: one service of tasks that hold sockets, and the function that is invoked when one of them has stopped.
 */
export class WorkerStack extends Stack {
  readonly service: FargateService;
  readonly vpc: IVpc;
  readonly cluster: ICluster;
  readonly #logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: WorkerStackProps) {
    super(scope, id, props);
    const { settings } = props;
    const vpc = makeVpc(this, settings);
    const cluster = new Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: settings.containerInsights === 'on' ? ContainerInsights.ENABLED : ContainerInsights.DISABLED,
    });
    acknowledge(
      cluster,
      "The service's own CPU and memory metrics cost nothing, and the workers say the rest themselves.",
      'AwsSolutions-ECS4',
    );
    // The providers belong to the cluster itself: as a resource beside it, which CDK would make, the service could be made
    // before them, and they could not be deleted before it.
    (cluster.node.defaultChild as CfnCluster).capacityProviders = ['FARGATE', 'FARGATE_SPOT'];
    this.vpc = vpc;
    this.cluster = cluster as ICluster;
    this.#logGroup = makeLogGroup(this, 'Logs', settings, 'worker');
    const nobody = new SecurityGroup(this, 'Nobody', { vpc, description: 'Nobody connects to a worker' });
    this.service = this.#addService(props, vpc, cluster as ICluster, nobody);
    this.#addRestore(props, vpc, cluster as ICluster, nobody);
    this.#addTaskStopped(settings, cluster as ICluster);
    addWatchdog(this, settings, cluster as ICluster);
    this.#addAlarms(settings);
    for (const [name, value] of [
      ['WorkersLeast', settings.workers],
      ['WorkersMost', settings.workersMost],
    ] as const) {
      new CfnOutput(this, name, {
        description: 'The range to which `ops resume` sets the scaling',
        value: String(value),
      });
    }
    new CfnOutput(this, 'ClusterName', { description: 'The ECS cluster of the workers', value: cluster.clusterName });
    new CfnOutput(this, 'ServiceName', {
      description: 'The ECS service of the workers',
      value: this.service.serviceName,
    });
  }

  /** Without an account CDK knows two zones only; a region has three or more. */
  override get availabilityZones(): string[] {
    return [0, 1, 2].map((index) => Fn.select(index, Fn.getAzs('')));
  }

  #addService(props: WorkerStackProps, vpc: IVpc, cluster: ICluster, nobody: SecurityGroup): FargateService {
    const { settings } = props;
    const task = makeWorkerTask(this, 'Task', {
      ...props,
      process: 'worker',
      containerName: WORKER_CONTAINER,
      // Workers take their deploy generation from the revision, which ECS counts for each family.
      family: `${settings.stage}-worker`,
      logGroup: this.#logGroup,
      healthCommand,
    });
    // ECS's agent changes the protection of a task in the name of the task's role.
    task.addToTaskRolePolicy(tasksStatement(this, cluster, 'ecs:UpdateTaskProtection'));
    acknowledgeTasks(task.taskRole, cluster);
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: task,
      // The count is not set: it belongs to the autoscaling, and a deploy would set it back.
      ...deploymentPercents,
      circuitBreaker: { enable: true, rollback: true },
      // Rebalancing is off: it would stop tasks, and so move connections, for evenness alone.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      propagateTags: PropagatedTagSource.SERVICE,
      assignPublicIp: settings.network === 'public',
      vpcSubnets: workerSubnets(settings),
      securityGroups: [nobody],
      capacityProviderStrategies: [
        { capacityProvider: 'FARGATE', base: 1, weight: 100 - settings.spotPercent },
        ...(settings.spotPercent === 0 ? [] : [{ capacityProvider: 'FARGATE_SPOT', weight: settings.spotPercent }]),
      ],
    });
    // Without these a task could start before it can reach the image, or before it may pull it.
    const { internetConnectivityEstablished } = vpc.selectSubnets(workerSubnets(settings));
    service.node.addDependency(internetConnectivityEstablished, task.obtainExecutionRole());
    scaleByUtilisation(service, settings);
    return service;
  }

  /**
   * Adds `npm run restore` as a task of its own with the permission that no worker has: to read the table of sessions
   * from end to end. An operator starts it by hand, with the command in the stack's output, while the service has no
   * workers.
   */
  #addRestore(props: WorkerStackProps, vpc: IVpc, cluster: ICluster, nobody: SecurityGroup): void {
    const { settings } = props;
    const task = makeWorkerTask(this, 'Restore', {
      ...props,
      process: 'restore',
      containerName: 'restore',
      family: `${settings.stage}-restore`,
      logGroup: this.#logGroup,
      command: ['node', 'worker/restore.mjs'],
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

  /**
   * Adds the function for stopped tasks. It looks at the worker's container and not at its task, which is reported as
   * stopped tens of seconds later.
   */
  #addTaskStopped(settings: Settings, cluster: ICluster): void {
    const { lambda } = new Handler(this, 'taskStopped', {
      settings,
      name: 'task-stopped',
      code: 'functions/taskStopped/entry.ts',
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
      // An older event is of no use: the other workers have observed the death themselves by then.
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
      // Each task adds one sample a minute, so the number of samples is the number of tasks.
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
