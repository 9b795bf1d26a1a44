import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { ConnectionId, CorrelationId, MessageId, TenantId } from '../kernel/id.ts';
import { toAsciiJson } from '../platform/asciiJson.ts';
import { commandQueueName } from '../platform/queues.ts';

/**
 * The commands by which the API asks the owner of a connection to do something. Each connection has two FIFO groups:
 * messages in order, and control, which is level-triggered ("read the wanted state and act"), so that nothing waits
 * behind parked messages.
 */
const brandedText = <Brand>() =>
  z
    .string()
    .min(1)
    .transform((text) => text as Brand);

const common = {
  version: z.literal(1),
  tenantId: brandedText<TenantId>(),
  connectionId: brandedText<ConnectionId>(),
  correlationId: brandedText<CorrelationId>(),
} as const;

export const controlKinds = ['pair', 'unlink', 'start', 'stop', 'restart', 'refresh'] as const;
export type ControlKind = (typeof controlKinds)[number];

export const commandSchema = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('send_message'), messageId: brandedText<MessageId>() }),
  z.object({ ...common, kind: z.literal('control'), control: z.enum(controlKinds) }),
]);
export type Command = z.infer<typeof commandSchema>;
export type SendCommand = Extract<Command, { kind: 'send_message' }>;
export type ControlCommand = Extract<Command, { kind: 'control' }>;

export interface CommandQueue {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** The FIFO group of a command. */
export function commandGroup(command: Pick<Command, 'kind' | 'connectionId'>): string {
  return command.kind === 'control' ? `${command.connectionId}#control` : command.connectionId;
}

/**
 * Puts a command into the queue of the connection's shard. Resolves when SQS has it; rejects otherwise.
 * @param deduplicationId SQS accepts one message with this id in five minutes
 */
export async function enqueueCommand(
  { queue, stage, queueUrlBase }: CommandQueue,
  shard: number,
  command: Command,
  deduplicationId: string,
): Promise<void> {
  await queue.send(
    new SendMessageCommand({
      QueueUrl: `${queueUrlBase}${commandQueueName(stage, shard)}`,
      MessageBody: toAsciiJson(command),
      MessageGroupId: commandGroup(command),
      MessageDeduplicationId: deduplicationId,
    }),
  );
}
