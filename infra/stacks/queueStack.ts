import { CfnCustomResource, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import {
  commandQueueName,
  deliveryQueueName,
  eventQueueNames,
  mediaQueueName,
  queueDefinitions,
  slowDeliveryQueueName,
  type QueueDefinition,
} from '../../shared/platform/queues.ts';
import { Handler } from '../constructs/handler.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { DeadLetterQueue, WorkQueue } from '../constructs/workQueue.ts';
import { deadLettersOf, queueDefinition } from '../settings/queueDefinition.ts';
import { queueUrlBase } from '../settings/resources.ts';
import { smallConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';
import { QUEUES_PER_STACK, ShardQueueStack } from './shardQueueStack.ts';

export interface QueueStackProps extends StackProps {
  readonly settings: Settings;
}

/** The age from which on an event is late: the messages in it are on the way to a tenant. */
const EVENTS_LATE_SECONDS = 120;
/** The time after which a deploy ends when the guard does not answer; CloudFormation itself would wait for an hour. */
const GUARD_SECONDS = 120;

/**
 * All queues with their dead-letter queues, made from the same definitions as the embedded stack's. Command queues are
 * in nested stacks; a deploy with fewer of them than exist is refused before anything is changed.
 */
export class QueueStack extends Stack {
  constructor(scope: Construct, id: string, props: QueueStackProps) {
    super(scope, id, { ...props, terminationProtection: true });
    const { stage, shardCount } = props.settings;
    const commandsDead = new DeadLetterQueue(this, 'CommandsDead', {
      stage,
      definition: queueDefinition(stage, deadLettersOf(stage, commandQueueName(stage, 0))),
      holds: 'commands',
      heading: 'Dead letters: commands',
    });
    const guard = this.#addShardCountGuard(props.settings);
    const commands = new Set(Array.from({ length: shardCount }, (_, shard) => commandQueueName(stage, shard)));
    const definitions = queueDefinitions(stage, shardCount).filter(({ name }) => commands.has(name));
    inParts(definitions, QUEUES_PER_STACK).forEach((part, index) => {
      const nested = new ShardQueueStack(this, `Commands${index}`, { definitions: part });
      nested.node.addDependency(commandsDead, guard);
    });
    this.#addEventQueues(props.settings);
    this.#addDeliveryQueue(stage);
    this.#addMediaQueue(stage);
    this.#addOutputs(props.settings);
  }

  /** Adds what `npm run ops -- --stage` reads. */
  #addOutputs({ shardCount, eventQueues }: Settings): void {
    new CfnOutput(this, 'QueueUrlBase', {
      description: 'The part of queue URLs before names',
      value: queueUrlBase(this),
    });
    new CfnOutput(this, 'Shards', { description: 'The number of shards', value: String(shardCount) });
    new CfnOutput(this, 'EventQueues', { description: 'The number of queues for events', value: String(eventQueues) });
  }

  #addShardCountGuard(settings: Settings): CfnCustomResource {
    const { stage, shardCount, eventQueues } = settings;
    const { lambda } = new Handler(this, 'ShardCount', {
      settings,
      name: 'shard-count',
      code: 'functions/shardCount/entry.ts',
      timeoutSeconds: 30,
      reservedConcurrency: smallConcurrency.shardCount,
      environment: {},
      // The guard asks whether its own stack is being taken back.
      statements: [new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [this.stackId] })],
      memoryMib: 256,
    });
    const guard = new CfnCustomResource(this, 'ShardCountGuard', {
      serviceToken: lambda.functionArn,
      serviceTimeout: GUARD_SECONDS,
    });
    guard.addPropertyOverride('stage', stage);
    guard.addPropertyOverride('shardCount', shardCount);
    guard.addPropertyOverride('eventQueues', eventQueues);
    return guard;
  }

  #addEventQueues({ stage, eventQueues }: Settings): void {
    let deadLetters: DeadLetterQueue | undefined;
    for (const [place, name] of eventQueueNames(stage, eventQueues).entries()) {
      const suffix = place === 0 ? '' : `-${place}`;
      const work = this.#addWorkQueue(stage, `Events${suffix}`, name, 'events', deadLetters);
      deadLetters ??= work.deadLetters;
      this.#addLateAlarm(stage, `events-late${suffix}`, work);
    }
  }

  #addLateAlarm(stage: string, id: string, { queue }: WorkQueue): void {
    new RunbookAlarm(this, id, {
      stage,
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: Duration.minutes(1) }),
      threshold: EVENTS_LATE_SECONDS,
      periods: 3,
      severity: 'page',
      heading: 'Events are late',
      sentence: `What happened on WhatsApp waits longer than ${EVENTS_LATE_SECONDS} s to be stored and told to tenants.`,
    });
  }

  #addDeliveryQueue(stage: string): void {
    const { queue, deadLetters } = this.#addWorkQueue(stage, 'Deliveries', deliveryQueueName(stage), 'deliveries');
    // What waits in the queue of slow endpoints waits for receivers of tenants, so that its length is no alarm.
    this.#addWorkQueue(stage, 'SlowDeliveries', slowDeliveryQueueName(stage), 'deliveries', deadLetters);
    // The age of the oldest message says nothing on this queue: deliveries to an endpoint that fails stay for half an hour
    // by design.
    new RunbookAlarm(this, 'deliveries-pile-up', {
      stage,
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Minimum', period: Duration.minutes(5) }),
      threshold: 1,
      periods: 3,
      severity: 'ticket',
      heading: 'Deliveries pile up',
      sentence: 'For 15 minutes there was no moment in which no delivery waited for a function.',
    });
  }

  #addMediaQueue(stage: string): void {
    const { queue } = this.#addWorkQueue(stage, 'Media', mediaQueueName(stage), 'media');
    // The age of the oldest message says nothing here either: a file that WhatsApp's hosts do not give is tried for a day.
    new RunbookAlarm(this, 'media-pile-up', {
      stage,
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Minimum', period: Duration.minutes(5) }),
      threshold: 1,
      periods: 3,
      severity: 'ticket',
      heading: 'Files pile up',
      sentence: 'For 15 minutes there was no moment in which no file waited for a function.',
    });
  }

  #addWorkQueue(
    stage: string,
    id: string,
    name: string,
    holds: 'events' | 'deliveries' | 'media',
    deadLetters?: DeadLetterQueue,
  ): WorkQueue {
    return new WorkQueue(this, id, {
      stage,
      ...(deadLetters === undefined ? {} : { deadLetters }),
      definition: queueDefinition(stage, name),
      deadLetterDefinition: queueDefinition(stage, deadLettersOf(stage, name)),
      holds,
      heading: `Dead letters: ${holds}`,
    });
  }
}

function inParts(all: readonly QueueDefinition[], size: number): readonly (readonly QueueDefinition[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
