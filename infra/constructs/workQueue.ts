import { Duration } from 'aws-cdk-lib';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  RedrivePermission,
} from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { MESSAGE_BYTES, type QueueDefinition } from '../../shared/platform/queues.ts';
import { RunbookAlarm } from './runbookAlarm.ts';

/** The number of dead letters that cannot be one poison message: something is broken for many. */
const MANY_DEAD_LETTERS = 100;

export interface DeadLetterQueueProps {
  readonly stage: string;
  readonly definition: QueueDefinition;
  /** The contents of the queue, for the text of the alarm, for example `commands`. */
  readonly holds: string;
  readonly heading: string;
}

/**
 * A queue of messages that nothing tries again by itself, with an alarm for the first of them and a louder one for
 * many.
 */
export class DeadLetterQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    super(scope, id);
    const { stage, definition, holds, heading } = props;
    this.queue = new Queue(this, 'Queue', {
      ...toQueueProps(definition),
      // What SQS allows anyway; said, it tells rules of an account that these are dead letters and need no others.
      redriveAllowPolicy: { redrivePermission: RedrivePermission.ALLOW_ALL },
    });
    const metric = this.queue.metricApproximateNumberOfMessagesVisible({
      statistic: 'Maximum',
      period: Duration.minutes(1),
    });
    const common = { stage, metric, heading };
    new RunbookAlarm(this, `${holds}-dead`, {
      ...common,
      threshold: 1,
      severity: 'ticket',
      sentence: `There are dead letters: ${holds} that nobody tries again.`,
    });
    new RunbookAlarm(this, `${holds}-dead-many`, {
      ...common,
      threshold: MANY_DEAD_LETTERS,
      severity: 'page',
      sentence: `There are ${MANY_DEAD_LETTERS} dead letters or more: ${holds} that nobody tries again.`,
    });
  }
}

export interface WorkQueueProps extends DeadLetterQueueProps {
  readonly deadLetterDefinition: QueueDefinition;
  /** The dead-letter queue of another queue, where both share it; one is made when left out. */
  readonly deadLetters?: DeadLetterQueue;
}

/** A queue that holds work, together with its dead-letter queue and the alarms of that queue. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const { definition, deadLetterDefinition } = props;
    if (definition.deadLetter?.name !== deadLetterDefinition.name) {
      throw new Error(`queue ${definition.name} has other dead letters than ${deadLetterDefinition.name}`);
    }
    this.deadLetters =
      props.deadLetters ?? new DeadLetterQueue(this, 'DeadLetters', { ...props, definition: deadLetterDefinition });
    this.queue = new Queue(this, 'Queue', {
      ...toQueueProps(definition),
      deadLetterQueue: {
        queue: this.deadLetters.queue,
        maxReceiveCount: definition.deadLetter.maxReceiveCount,
      },
    });
  }
}

function toQueueProps(definition: QueueDefinition) {
  return {
    queueName: definition.name,
    // SQS refuses `fifo: false`: the attribute is absent on standard queues.
    ...(definition.fifo
      ? {
          fifo: true,
          deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
          fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
        }
      : {}),
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    // The limit covers a text of WhatsApp's greatest length, which takes up to 768 KB in a body in the widest script.
    maxMessageSizeBytes: MESSAGE_BYTES,
    visibilityTimeout: Duration.seconds(definition.visibilityTimeoutSeconds),
    retentionPeriod: Duration.seconds(definition.retentionSeconds),
  };
}
