import { Duration, Stack } from 'aws-cdk-lib';
import {
  AwsLogDriverMode,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  type ContainerImage,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { accessStatements, dataKeyStatement } from '../access/accessStatements.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { workerEnvironment } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';

export interface WorkerTaskProps {
  readonly settings: Settings;
  readonly image: ContainerImage;
  readonly dataKeyArn: string;
  /** The process in the table of access whose rows the role gets. */
  readonly process: 'worker' | 'restore';
  readonly containerName: string;
  /** The name under which ECS counts the revisions of the task; it never changes. */
  readonly family: string;
  readonly logGroup: ILogGroup;
  /** The command of the container; the image's own when left out. */
  readonly command?: readonly string[];
  /** The health check of the container; left out where no server answers. */
  readonly healthCommand?: readonly string[];
}

/** The greatest stop timeout that Fargate allows; a drain takes up to 100 s. */
const STOP_SECONDS = 120;
/** The user `node` of Node's images. */
const USER = '1000:1000';

/**
 * A task of the worker's image: no root user, no file that it could change, and a role of its own with the stated
 * access and nothing more.
 */
export function makeWorkerTask(scope: Construct, id: string, props: WorkerTaskProps): FargateTaskDefinition {
  const { settings, image, dataKeyArn, process, containerName, family, logGroup, command, healthCommand } = props;
  const task = new FargateTaskDefinition(scope, id, {
    family,
    cpu: settings.workerCpu,
    memoryLimitMiB: settings.workerMemoryMib,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.ARM64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
  });
  for (const statement of accessStatements(scope, settings, process)) task.addToTaskRolePolicy(statement);
  task.addToTaskRolePolicy(dataKeyStatement(dataKeyArn));
  task.addContainer(containerName, {
    containerName,
    image,
    // The task's own, as nothing runs beside it; some accounts want a limit of every container.
    memoryLimitMiB: settings.workerMemoryMib,
    user: USER,
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(STOP_SECONDS),
    environment: workerEnvironment(scope, settings, Stack.of(scope).region, dataKeyArn),
    ...(command === undefined ? {} : { command: [...command] }),
    // ECS replaces only a process whose event loop does not turn any more: for all else there are its heartbeat and its
    // drain.
    ...(healthCommand === undefined
      ? {}
      : {
          healthCheck: {
            command: ['CMD', ...healthCommand],
            interval: Duration.seconds(30),
            timeout: Duration.seconds(10),
            retries: 3,
            startPeriod: Duration.seconds(120),
          },
        }),
    // A log that CloudWatch does not accept must not stop the event loop, and heartbeats with it.
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: containerName, mode: AwsLogDriverMode.NON_BLOCKING }),
  });
  acknowledge(task, 'None of the variables is a secret: keys are named, never given.', 'AwsSolutions-ECS2');
  acknowledge(
    task,
    'Asking ECR for a token knows no resources; what may be pulled with it is this image alone.',
    'AwsSolutions-IAM5[Resource::*]',
  );
  return task;
}
