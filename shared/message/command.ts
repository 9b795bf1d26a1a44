import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { ActionId, ConnectionId, CorrelationId, MediaId, MessageId, TenantId } from '../kernel/id.ts';
import { toAsciiJson } from '../platform/asciiJson.ts';
import { BATCH_ENTRIES, entryFailures, entryId } from '../platform/queueBatch.ts';
import { commandQueueName } from '../platform/queues.ts';

/**
 * The commands by which the API asks the owner of a connection to do something. Each connection has five FIFO groups:
 * messages in order; control, which is level-triggered ("read the wanted state and act"); actions; files that the phone is asked
 * for; and `file_ended`, which is level-triggered, too ("look at the files that messages wait for"). So neither a pairing, nor a
 * backlog of messages, nor many actions or files make the others wait.
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
  z.object({ ...common, kind: z.literal('action'), actionId: brandedText<ActionId>() }),
  z.object({ ...common, kind: z.literal('file'), mediaId: brandedText<MediaId>() }),
  z.object({ ...common, kind: z.literal('file_ended') }),
]);
export type Command = z.infer<typeof commandSchema>;
export type SendCommand = Extract<Command, { kind: 'send_message' }>;
export type ControlCommand = Extract<Command, { kind: 'control' }>;

/** What stays the same in the commands of all releases: who they are for, and words for what they ask. */
const envelopeSchema = z.object({
  version: z.number().int().min(1),
  tenantId: z.string().min(1),
  connectionId: z.string().min(1),
  kind: z.string().regex(/^[a-z][a-z_]{0,63}$/),
  control: z.string().optional(),
});
const knownKinds: ReadonlySet<string> = new Set(commandSchema.options.map(({ shape }) => shape.kind.value));
const knownControls: ReadonlySet<string> = new Set(controlKinds);

/**
 * Whether what is no command here is one of a newer release: its envelope is good, and its version, its kind or its control word is one that this
 * release does not know. While workers are replaced one after the other, an API or a function of the newer release meets workers of this one.
 */
export function isOfNewerRelease(body: unknown): boolean {
  const { data } = envelopeSchema.safeParse(body);
  if (data === undefined) return false;
  const { version, kind, control } = data;
  return (
    version > 1 || !knownKinds.has(kind) || (kind === 'control' && control !== undefined && !knownControls.has(control))
  );
}

export interface CommandQueue {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
}

/** The FIFO group of a command. */
export function commandGroup({ kind, connectionId }: Pick<Command, 'kind' | 'connectionId'>): string {
  return `${connectionId}${groupEndings[kind]}`;
}

const groupEndings: Readonly<Record<Command['kind'], string>> = {
  send_message: '',
  control: '#control',
  action: '#action',
  file: '#file',
  file_ended: '#file_ended',
};

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

/** The command of a message, with the address that it goes to. */
export interface AddressedCommand {
  readonly to: string;
  readonly command: SendCommand;
}

/**
 * Puts the commands of many messages of one connection into its queue, in their order, several in a call. SQS may take some entries of a
 * call and refuse others, so no call has two messages to one address: what is refused never comes behind a later message of its
 * chat. Resolves when SQS has all of them; rejects at the first call of which it has not, and makes no further one.
 */
export async function enqueueMessages(
  { queue, stage, queueUrlBase }: CommandQueue,
  shard: number,
  commands: readonly AddressedCommand[],
): Promise<void> {
  const QueueUrl = `${queueUrlBase}${commandQueueName(stage, shard)}`;
  for (const call of toCalls(commands)) {
    const Entries = call.map(({ command }, place) => ({
      Id: entryId(place),
      MessageBody: toAsciiJson(command),
      MessageGroupId: commandGroup(command),
      MessageDeduplicationId: command.messageId,
    }));
    const answer = await queue.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const [failure] = entryFailures(call.length, answer).values();
    if (failure !== undefined) throw failure;
  }
}

function toCalls(commands: readonly AddressedCommand[]): readonly (readonly AddressedCommand[])[] {
  const calls: AddressedCommand[][] = [];
  for (const one of commands) {
    const call = calls.at(-1);
    const isFull = call === undefined || call.length === BATCH_ENTRIES || call.some(({ to }) => to === one.to);
    if (isFull) calls.push([one]);
    else call.push(one);
  }
  return calls;
}
