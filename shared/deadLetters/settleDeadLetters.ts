import { createHash } from 'node:crypto';
import { DeleteMessageCommand, SendMessageCommand, type Message } from '@aws-sdk/client-sqs';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { commandSchema } from '../message/command.ts';
import { toAsciiBody } from '../platform/asciiJson.ts';
import { commandQueueName, deliveryQueueName, eventQueueName, mediaQueueName } from '../platform/queues.ts';
import { DEAD_ATTRIBUTES, parseJson, type LetterKind } from './deadLetter.ts';
import {
  countLetters,
  deadUrlOf,
  letGo,
  takeLetters,
  type LetterDependencies,
  type LetterInHand,
} from './lettersInHand.ts';

/**
 * What people do with dead letters: send them to the queue that they came from (redrive), or put them away for good
 * (discard). A letter is sent before it is deleted. Where the process dies in between, where the deletion is refused, or
 * where two people do the same at once, it is sent twice, and each of its readers knows the second:
 *
 * | kind       | the second one                                                                                      |
 * | ---------- | --------------------------------------------------------------------------------------------------- |
 * | commands   | finds its message or action over, or says what the first said ("read the wanted state and act")     |
 * | events     | is the same facts under the same keys: nothing is told again                                        |
 * | deliveries | is posted under the same `webhook-id`, which receivers drop                                         |
 * | media      | finds the file fetched, sent or erased                                                              |
 *
 * A queue with order also drops the second within five minutes by its deduplication id. A call that never returns ends at
 * the deadline of its client.
 */
export interface SettleDependencies extends LetterDependencies {
  /** A connection never moves, so its row still names the shard to which its commands belong. */
  readonly findConnection: (tenantId: TenantId, connectionId: ConnectionId) => Promise<Connection | undefined>;
}

export const letterActs = ['redrive', 'discard'] as const;
export type LetterAct = (typeof letterActs)[number];

export interface SettleOptions {
  readonly act: LetterAct;
  /** The person who asked for it, for the record. */
  readonly by: string;
  /** The letters that are meant. */
  readonly isMeant: (one: LetterInHand) => boolean;
  /** How many letters are looked at and settled, at most, and how many are meant, where that is known. */
  readonly most: { readonly looked: number; readonly settled: number; readonly meant?: number | undefined };
}

export interface Settled {
  /** The ids of the letters that were sent, or put away. */
  readonly settled: readonly string[];
  /** The ids of letters that are meant and stay: there is no queue for them, as the connection is gone or nobody can read them. */
  readonly stay: readonly string[];
  /** Whether the same request may settle more. */
  readonly hasMore: boolean;
}

/** Settles dead letters of one kind, in the order in which they come. Rejects when a queue does not answer; what was done by then is done. */
export async function settleDeadLetters(
  dependencies: SettleDependencies,
  kind: LetterKind,
  { act, by, isMeant, most }: SettleOptions,
): Promise<Settled> {
  const settled: string[] = [];
  const stay: string[] = [];
  /** What is hidden and was not settled. */
  let inHand: readonly LetterInHand[] = [];
  let looked = 0;
  /** The bodies that were sent again, as hashes: one that is dead once more has another id, and would go round. */
  const sent = new Set<string>();
  if ((await countLetters(dependencies, kind)) === 0) return { settled, stay, hasMore: false };
  try {
    for await (const some of takeLetters(dependencies, kind, most.looked)) {
      looked += some.length;
      inHand = [...inHand, ...some];
      for (const one of some) {
        const body = hashOf(one.message);
        if (settled.length >= most.settled || sent.has(body) || !isMeant(one)) continue;
        if ((await settle(dependencies, one, act, by)) === 'stays') {
          stay.push(one.letter.letterId);
          continue;
        }
        settled.push(one.letter.letterId);
        if (act === 'redrive') sent.add(body);
        inHand = inHand.filter((other) => other !== one);
      }
      if (settled.length >= most.settled || settled.length + stay.length >= (most.meant ?? Infinity)) break;
    }
  } finally {
    await letGo(dependencies, kind, inHand);
  }
  // A request that settled nothing was shown only letters that stay or are not meant: the same one would be shown them again.
  const isCut = looked >= most.looked || settled.length >= most.settled;
  return { settled, stay, hasMore: settled.length > 0 && isCut };
}

const hashOf = ({ Body = '' }: Message): string => createHash('sha256').update(Body).digest('base64');

async function settle(
  dependencies: SettleDependencies,
  { letter, message }: LetterInHand,
  act: LetterAct,
  by: string,
): Promise<'settled' | 'stays'> {
  const { queue, queueUrlBase, clock, logger } = dependencies;
  if (act === 'redrive') {
    const name = await destinationOf(dependencies, letter.kind, message);
    if (name === undefined) return 'stays';
    await queue.send(toSend(message, `${queueUrlBase}${name}`, by, clock.nowMs()));
  }
  const ReceiptHandle = message.ReceiptHandle;
  await queue.send(new DeleteMessageCommand({ QueueUrl: deadUrlOf(dependencies, letter.kind), ReceiptHandle }));
  const { letterId, tenantId, connectionId, correlationId, messageId, eventId, reason } = letter;
  const fields = { letterId, tenantId, connectionId, correlationId, messageId, eventId, reason, action: act, by };
  logger.info('a dead letter was settled', fields);
  return 'settled';
}

/** The name of the queue that a dead letter came from; undefined when the letter can go nowhere. */
async function destinationOf(
  { stage, findConnection }: SettleDependencies,
  kind: LetterKind,
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
  const others = Object.entries(MessageAttributes ?? {}).filter(([name]) => !DEAD_ATTRIBUTES.has(name));
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  return new SendMessageCommand({
    QueueUrl,
    MessageBody: toAsciiBody(Body ?? ''),
    MessageAttributes: {
      ...Object.fromEntries(others),
      redrivenBy: text(by),
      redrivenAt: text(new Date(nowMs).toISOString()),
    },
    ...(Attributes?.MessageGroupId === undefined ? {} : { MessageGroupId: Attributes.MessageGroupId }),
    // A deduplication id of its own: the letter's first id could be refused as a repetition, and this one is refused
    // only when this very letter was sent already.
    ...(QueueUrl.endsWith('.fifo') ? { MessageDeduplicationId: `redrive-${MessageId}` } : {}),
  });
}
