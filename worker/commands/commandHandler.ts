import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { toReasonAttribute } from '../../shared/deadLetters/deadLetter.ts';
import { commandSchema, isOfNewerRelease, type Command } from '../../shared/message/command.ts';
import { toAsciiBody } from '../../shared/platform/asciiJson.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { HeldConnection } from '../runner/heldConnection.ts';
import type { CommandRecord } from './commandQueue.ts';
import type { CommandResult } from '../sending/connectionOutbox.ts';

export interface HandlerDependencies extends Pick<Surroundings, 'logger'> {
  readonly hold: (command: Command) => HeldConnection;
  readonly acting: SQSClient;
  readonly deadLetterUrl: string;
}

/**
 * Does what one command of an owned shard asks for. One that only a newer release knows is `left` to the queue, for the newer worker that
 * owns the shard soon. Rejects when a store or queue does not answer.
 */
export async function handleCommand(
  dependencies: HandlerDependencies,
  record: CommandRecord,
): Promise<CommandResult | 'left'> {
  const command = parseCommand(record.body);
  if (command === undefined) {
    if (isOfNewerRelease(readJson(record.body))) {
      dependencies.logger.warn('a command of a newer release is left to a newer worker', {
        receiveCount: record.receiveCount,
      });
      return 'left';
    }
    await setAside(dependencies, record);
    return 'done';
  }
  const { connectionId, correlationId } = command;
  const kind = command.kind === 'control' ? command.control : command.kind;
  const held = dependencies.hold(command);
  dependencies.logger.debug('command received', {
    connectionId,
    correlationId,
    commandKind: kind,
    receiveCount: record.receiveCount,
  });
  switch (command.kind) {
    case 'control':
      return held.reconcile(command.control);
    case 'action':
      return held.actions.handle(command.actionId);
    case 'file':
      return held.files.handle(command.mediaId);
    case 'file_ended':
      held.outbox.fileEnded();
      held.actions.look();
      return 'done';
    default:
      return held.outbox.handle(command.messageId, record.sequenceNumber, record.enqueuedAtMs);
  }
}

/** The command in a body, or undefined when it holds none. */
export function parseCommand(body: string): Command | undefined {
  return commandSchema.safeParse(readJson(body)).data;
}

function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/**
 * Moves a command that no retry can make readable to the dead letters at once, so that it does not hold up its group.
 */
async function setAside({ acting, deadLetterUrl, logger }: HandlerDependencies, record: CommandRecord): Promise<void> {
  logger.error('command cannot be read and goes to the dead letters', { receiveCount: record.receiveCount });
  await acting.send(
    new SendMessageCommand({
      QueueUrl: deadLetterUrl,
      MessageBody: toAsciiBody(record.body),
      MessageAttributes: toReasonAttribute('unreadable'),
      MessageGroupId: record.group,
      MessageDeduplicationId: record.sequenceNumber,
    }),
  );
}
