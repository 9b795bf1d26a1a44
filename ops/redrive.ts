import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
} from '@aws-sdk/client-sqs';
import type { Connection } from '../shared/connection/connection.ts';
import type { ConnectionId, TenantId } from '../shared/kernel/id.ts';
import { commandSchema } from '../shared/message/command.ts';
import { toAsciiBody } from '../shared/platform/asciiJson.ts';
import { commandQueueName, deliveryQueueName, eventQueueName, mediaQueueName } from '../shared/platform/queues.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import { depthOf, type QueueKind, type QueuePlace } from './queueDepths.ts';

export interface RedriveDependencies extends Pick<Surroundings, 'clock'>, QueuePlace {
  /** A connection never moves, so its row still names the shard to which its commands belong. */
  readonly findConnection: (tenantId: TenantId, connectionId: ConnectionId) => Promise<Connection | undefined>;
}

/** The outcome for the dead letters of one kind. */
export interface Redriven {
  readonly kind: QueueKind;
  readonly moved: number;
  /** The number of dead letters that stay where they are: the connection is gone, or nobody can read them. */
  readonly left: number;
}

const BATCH_SIZE = 10;

const deadQueueOf = {
  commands: (stage) => `${stage}-command-dead.fifo`,
  events: (stage) => `${stage}-events-dead.fifo`,
  deliveries: (stage) => `${stage}-deliveries-dead`,
  media: (stage) => `${stage}-media-dead`,
} as const satisfies Record<QueueKind, (stage: string) => string>;

/**
 * Sends dead letters of one kind to the queues that they came from, oldest first, and then removes them. Takes at most as
 * many as there are when it begins, so letters that die again meanwhile do not go round in circles. A letter is sent before
 * it is removed: when that is interrupted it is there twice, under one deduplication id, and its readers recognise it.
 * Rejects when a queue does not answer; what was moved by then is moved.
 */
export async function redrive(
  dependencies: RedriveDependencies,
  kind: QueueKind,
  options: { readonly limit: number; readonly by: string },
): Promise<Redriven> {
  const { queue, queueUrlBase, stage } = dependencies;
  const deadQueue = deadQueueOf[kind](stage);
  const deadUrl = `${queueUrlBase}${deadQueue}`;
  const { waiting } = await depthOf(dependencies, deadQueue);
  const most = Math.min(waiting, options.limit);
  const left: Message[] = [];
  let moved = 0;
  try {
    while (moved + left.length < most) {
      const wanted = Math.min(BATCH_SIZE, most - moved - left.length);
      const messages = await receive(dependencies, deadUrl, wanted);
      // SQS counts approximately: there are fewer letters than it said.
      if (messages.length === 0) break;
      for (const message of messages) {
        const name = await destinationOf(dependencies, kind, message);
        if (name === undefined) {
          left.push(message);
          continue;
        }
        await queue.send(toSend(message, `${queueUrlBase}${name}`, options.by, dependencies.clock.nowMs()));
        await queue.send(new DeleteMessageCommand({ QueueUrl: deadUrl, ReceiptHandle: message.ReceiptHandle }));
        moved += 1;
      }
    }
  } finally {
    // The letters that stay were only hidden so that the next receive brought others.
    for (const { ReceiptHandle } of left) {
      await queue.send(new ChangeMessageVisibilityCommand({ QueueUrl: deadUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    }
  }
  return { kind, moved, left: left.length };
}

async function receive({ queue }: QueuePlace, QueueUrl: string, count: number): Promise<readonly Message[]> {
  const answer = await queue.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: count,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  return answer.Messages ?? [];
}

/** The name of the queue that a dead letter came from; undefined when the letter can go nowhere. */
async function destinationOf(
  { stage, findConnection }: RedriveDependencies,
  kind: QueueKind,
  { Body = '' }: Message,
): Promise<string | undefined> {
  // The connection of a letter has gone on without it, so any of the queues will do.
  if (kind === 'events') return eventQueueName(stage);
  if (kind === 'deliveries') return deliveryQueueName(stage);
  if (kind === 'media') return mediaQueueName(stage);
  const command = commandSchema.safeParse(parseJson(Body));
  if (!command.success) return undefined;
  const connection = await findConnection(command.data.tenantId, command.data.connectionId);
  return connection && commandQueueName(stage, connection.shard);
}

/** The same message for the same group, with the person who sent it again and the time. */
function toSend(message: Message, QueueUrl: string, by: string, nowMs: number): SendMessageCommand {
  const { MessageId = '', Body, Attributes, MessageAttributes } = message;
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  return new SendMessageCommand({
    QueueUrl,
    MessageBody: toAsciiBody(Body ?? ''),
    MessageAttributes: {
      ...MessageAttributes,
      redrivenBy: text(by),
      redrivenAt: text(new Date(nowMs).toISOString()),
    },
    ...(Attributes?.MessageGroupId === undefined ? {} : { MessageGroupId: Attributes.MessageGroupId }),
    // A deduplication id of its own: the letter's first id could be refused as a repetition, and this one is refused
    // only when this very letter was sent already.
    ...(QueueUrl.endsWith('.fifo') ? { MessageDeduplicationId: `redrive-${MessageId}` } : {}),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
