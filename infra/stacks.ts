import { Annotations, Tags, type App } from 'aws-cdk-lib';
import type { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { DockerImageCode } from 'aws-cdk-lib/aws-lambda';
import { ApiStack } from './stacks/apiStack.ts';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { quotaForReservations, reservesConcurrency } from './settings/concurrency.ts';
import { tellOfAlarmParts, useAlarmTopics } from './constructs/runbookAlarm.ts';
import { BackupStack } from './stacks/backupStack.ts';
import { DataStack } from './stacks/dataStack.ts';
import { DeliveryStack } from './stacks/deliveryStack.ts';
import { OpsStack } from './stacks/opsStack.ts';
import { QueueStack } from './stacks/queueStack.ts';
import { ScheduleStack } from './stacks/scheduleStack.ts';
import { StreamStack } from './stacks/streamStack.ts';
import type { Settings } from './settings/settings.ts';
import { WorkerStack } from './stacks/workerStack.ts';

export interface Stacks {
  readonly data: DataStack;
  readonly backups: BackupStack;
  readonly queues: QueueStack;
  readonly api: ApiStack;
  readonly delivery: DeliveryStack;
  readonly schedules: ScheduleStack;
  readonly workers: WorkerStack;
  /** The service of streams, where the stage has a name for them. */
  readonly streams: StreamStack | undefined;
  readonly ops: OpsStack;
}

/** Images for ARM64: those of the workers, of the media function, and of the stream service, which not every stage has. */
export interface Images {
  readonly worker: ContainerImage;
  readonly media: DockerImageCode;
  readonly stream?: ContainerImage;
}

/**
 * What gets no tags of ours: the newest schemas of these take them, and those of some regions and tools refuse a template
 * that has them.
 */
const WITHOUT_TAGS = [
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::CloudWatch::Dashboard',
  'AWS::ElasticLoadBalancingV2::Listener',
  'AWS::ElasticLoadBalancingV2::ListenerRule',
];

/**
 * All stacks of a stage, in the order in which they are deployed: first the ones that hold state, then the ones that
 * use it, then the ones that watch.
 */
export function addStacks(app: App, settings: Settings, images: Images): Stacks {
  const { worker: image, media: mediaImage } = images;
  const { stage, pageTopicArn, ticketTopicArn, permissionsBoundaryArn } = settings;
  if (pageTopicArn !== undefined && ticketTopicArn !== undefined) {
    useAlarmTopics(app, { page: pageTopicArn, ticket: ticketTopicArn });
  }
  if (settings.alarmParts === 'ticket') tellOfAlarmParts(app);
  const data = new DataStack(app, `${stage}-data`, { settings });
  const backups = new BackupStack(app, `${stage}-backups`, { settings });
  const queues = new QueueStack(app, `${stage}-queues`, { settings });
  const api = new ApiStack(app, `${stage}-api`, { settings, dataKeyArn: data.dataKeyArn });
  const delivery = new DeliveryStack(app, `${stage}-delivery`, { settings, dataKeyArn: data.dataKeyArn, mediaImage });
  const schedules = new ScheduleStack(app, `${stage}-schedules`, { settings, dataKeyArn: data.dataKeyArn });
  const workers = new WorkerStack(app, `${stage}-workers`, { settings, image, dataKeyArn: data.dataKeyArn });
  const streams = addStreams(app, settings, workers, images.stream);
  const ops = new OpsStack(app, `${stage}-ops`, {
    settings,
    api: api.api,
    apiAddress: api.address,
    service: workers.service,
  });
  backups.addStackDependency(data);
  // The stacks refer to each other by names, so CDK cannot see which needs which.
  for (const user of [api, delivery, schedules, workers, ...(streams === undefined ? [] : [streams])]) {
    user.addStackDependency(data);
    user.addStackDependency(queues);
  }
  // The saved queries name the log groups of the other stacks.
  for (const asked of [delivery, schedules]) ops.addStackDependency(asked);
  if (permissionsBoundaryArn !== undefined) {
    PermissionsBoundary.of(app).apply(ManagedPolicy.fromManagedPolicyArn(data, 'Boundary', permissionsBoundaryArn));
  }
  if (!reservesConcurrency(settings)) {
    Annotations.of(api).addWarningV2(
      'holdfast:concurrency',
      `Functions reserve no concurrency, because the account has ${settings.accountConcurrency} and reservations need ` +
        `${quotaForReservations(settings)}: ask AWS for more of the quota "Concurrent executions", and set accountConcurrency.`,
    );
  }
  for (const [tag, value] of [
    ['product', 'holdfast'],
    ['stage', stage],
  ] as const) {
    Tags.of(app).add(tag, value, { excludeResourceTypes: WITHOUT_TAGS });
  }
  return { data, backups, queues, api, delivery, schedules, workers, streams, ops };
}

function addStreams(
  app: App,
  settings: Settings,
  { vpc, cluster }: WorkerStack,
  image: ContainerImage | undefined,
): StreamStack | undefined {
  const { stage, streamDomainName: domainName, streamCertificateArn: certificateArn } = settings;
  if (domainName === undefined || certificateArn === undefined) return undefined;
  if (image === undefined) throw new Error('a stage that serves streams needs the image of the stream service');
  const front = { domainName, certificateArn };
  return new StreamStack(app, `${stage}-streams`, { settings, front, image, vpc, cluster });
}
