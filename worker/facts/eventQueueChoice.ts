import { GetCommand, TransactWriteCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { isMarkRecorded, type QueueMark } from '../../shared/event/queueMark.ts';
import { ownershipKey } from '../../shared/fleet/fleetTable.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import { eventQueueNoteKey, eventQueuesKey } from '../../shared/platform/keys.ts';
import { eventQueueOf } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { tableName } from '../../shared/platform/tables.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';

/**
 * A connection's facts go to one of the queues for facts. The number of queues may grow while workers of both numbers
 * run, and the facts of a connection must stay in order although its older ones may still lie in another queue.
 *
 * Three things are written down. `EVENT_QUEUES` in Fleet holds the greatest number that any worker has used: while it is
 * 1 no connection can have moved, and nothing more is read. A note for each connection (`EVENT_QUEUE` in Core) holds the
 * number by which its facts were spread last. A mark in the old queue shows when everything before it is recorded.
 *
 * A connection moves before its owner's first publish: the owner puts a mark into the old queue and publishes nothing
 * until ingest has come to it. SQS keeps the order of a group, so all earlier facts are recorded by then. Then the note
 * is written, and only then do facts go to the new queue.
 *
 * - The owner dies anywhere: without the note the next owner finds the old number, and nothing was published under the
 *   new one; with it nothing is left in the old queue. A mark that nobody waits for does no harm.
 * - The answer to the note is lost: the publish fails, and its facts are offered again. The next try counts `attempt` up
 *   first, so a late write of the earlier one is refused, or has landed and is read.
 * - Two owners at once: the note is written together with a check of the shard's epoch, so an owner whose shard has
 *   another one writes nothing, not even late.
 * - Ingest does not come to the mark in time: the facts go to the old queue as before, and the move is tried again later.
 * - A worker of an earlier, smaller number keeps the queue that the note says, and moves nothing back.
 */
export interface EventQueueChoiceDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  /** The number of queues that this worker knows. */
  readonly eventQueues: number;
}

/** Puts a mark into a queue, behind all facts of its connection. Rejects when the queue does not take it. */
export type PutMark = (queue: number, mark: QueueMark) => Promise<void>;

/** How long a connection's facts wait for ingest to come to a mark, in milliseconds. */
const MARK_WAIT_MS = 3_000;
const MARK_LOOK_MS = 50;
/** How long a connection stays with its old queue before a move is tried again, in milliseconds. */
const RETRY_MS = 5 * 60_000;
/** The number of connections whose choice is remembered; it is read again when it is forgotten. */
const REMEMBERED = 5_000;

interface Choice {
  readonly token: number;
  readonly queue: number;
  /** When a move is tried again, on the monotonic clock; Infinity when there is nothing to move. */
  readonly againAtMs: number;
}

export class EventQueueChoice {
  readonly #dependencies: EventQueueChoiceDependencies;
  readonly #shards = new Map<number, { readonly token: number; readonly mayHaveMoved: Promise<boolean> }>();
  readonly #connections = new Map<ConnectionId, Choice>();

  constructor(dependencies: EventQueueChoiceDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * The queue for the next facts of a connection. It must not be asked for the same connection twice at once. Rejects when
   * a store or the queue does not answer; nothing may be published then.
   */
  async of(connection: OwnedConnection, putMark: PutMark): Promise<number> {
    const { connectionId, shard, token } = connection;
    if (!(await this.#mayHaveMoved(shard, token))) return 0;
    const known = this.#connections.get(connectionId);
    if (known?.token === token && this.#dependencies.clock.monotonicMs() < known.againAtMs) return known.queue;
    this.#connections.delete(connectionId);
    const choice = await this.#choose(connection, putMark);
    if (this.#connections.size >= REMEMBERED) this.#connections.clear();
    this.#connections.set(connectionId, choice);
    return choice.queue;
  }

  /** Whether some worker has ever used more than one queue. Nothing of a shard moves while another worker owns it. */
  #mayHaveMoved(shard: number, token: number): Promise<boolean> {
    const known = this.#shards.get(shard);
    if (known?.token === token) return known.mayHaveMoved;
    const mayHaveMoved = this.#raiseMost().then((most) => most > 1);
    this.#shards.set(shard, { token, mayHaveMoved });
    mayHaveMoved.catch(() => {
      if (this.#shards.get(shard)?.mayHaveMoved === mayHaveMoved) this.#shards.delete(shard);
    });
    return mayHaveMoved;
  }

  /** The greatest number of queues in use, this worker's included, which it writes down before it uses it. */
  async #raiseMost(): Promise<number> {
    const { table, stage, eventQueues } = this.#dependencies;
    const TableName = tableName(stage, 'fleet');
    const answer = await table.send(new GetCommand({ TableName, Key: eventQueuesKey, ConsistentRead: true }));
    const most = (answer.Item?.['most'] as number | undefined) ?? 1;
    if (eventQueues <= most) return most;
    try {
      await table.send(
        new UpdateCommand({
          TableName,
          Key: eventQueuesKey,
          UpdateExpression: 'SET most = :own',
          ConditionExpression: 'attribute_not_exists(most) OR most < :own',
          ExpressionAttributeValues: { ':own': eventQueues },
        }),
      );
    } catch (error) {
      // Another worker has written as much or more meanwhile.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    return eventQueues;
  }

  async #choose(connection: OwnedConnection, putMark: PutMark): Promise<Choice> {
    const { clock, eventQueues, logger } = this.#dependencies;
    const { connectionId, shard, token } = connection;
    const noted = await this.#readNote(connectionId);
    if (!isMove(shard, noted, eventQueues)) return stay(token, eventQueueOf(shard, noted));
    const { queues: before, attempt } = await this.#beginMove(connectionId);
    const from = eventQueueOf(shard, before);
    if (!isMove(shard, before, eventQueues)) return stay(token, from);
    const mark = `${shard}-${token}-${attempt}`;
    await putMark(from, { version: 1, kind: 'queue_mark', connectionId, mark });
    if (!(await this.#comesTo(connectionId, mark))) {
      logger.info('facts stay in their old queue, which is behind', { connectionId });
      return { token, queue: from, againAtMs: clock.monotonicMs() + RETRY_MS };
    }
    await this.#note(connection, attempt);
    return stay(token, eventQueueOf(shard, eventQueues));
  }

  async #readNote(connectionId: ConnectionId): Promise<number> {
    const { table, stage } = this.#dependencies;
    const answer = await table.send(
      new GetCommand({
        TableName: tableName(stage, 'core'),
        Key: eventQueueNoteKey(connectionId),
        ConsistentRead: true,
      }),
    );
    return (answer.Item?.['queues'] as number | undefined) ?? 1;
  }

  /** Counts the attempt, which shuts out late writes of earlier ones, and reads the note as it is then. */
  async #beginMove(connectionId: ConnectionId): Promise<{ readonly queues: number; readonly attempt: number }> {
    const { table, stage } = this.#dependencies;
    const answer = await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: eventQueueNoteKey(connectionId),
        UpdateExpression: 'ADD attempt :one',
        ExpressionAttributeValues: { ':one': 1 },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const { queues = 1, attempt } = answer.Attributes as { readonly queues?: number; readonly attempt: number };
    return { queues, attempt };
  }

  async #comesTo(connectionId: ConnectionId, mark: string): Promise<boolean> {
    const { clock } = this.#dependencies;
    const untilMs = clock.monotonicMs() + MARK_WAIT_MS;
    for (;;) {
      if (await isMarkRecorded(this.#dependencies, connectionId, mark)) return true;
      if (clock.monotonicMs() >= untilMs) return false;
      await clock.sleep(MARK_LOOK_MS);
    }
  }

  /** Condition: the shard has the epoch of this ownership, and no later attempt has begun. */
  async #note({ connectionId, shard, token }: OwnedConnection, attempt: number): Promise<void> {
    const { table, stage, eventQueues } = this.#dependencies;
    await table.send(
      new TransactWriteCommand({
        TransactItems: [
          {
            ConditionCheck: {
              TableName: tableName(stage, 'fleet'),
              Key: ownershipKey(shard),
              ConditionExpression: 'epoch = :token',
              ExpressionAttributeValues: { ':token': token },
            },
          },
          {
            Update: {
              TableName: tableName(stage, 'core'),
              Key: eventQueueNoteKey(connectionId),
              UpdateExpression: 'SET queues = :queues',
              ConditionExpression: 'attempt = :attempt',
              ExpressionAttributeValues: { ':queues': eventQueues, ':attempt': attempt },
            },
          },
        ],
      }),
    );
  }
}

/** Whether facts that were spread over `before` queues go to another queue now that there are `now`, which only grows. */
function isMove(shard: number, before: number, now: number): boolean {
  return now > before && eventQueueOf(shard, now) !== eventQueueOf(shard, before);
}

function stay(token: number, queue: number): Choice {
  return { token, queue, againAtMs: Infinity };
}
