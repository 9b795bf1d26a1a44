import { BATCH_LINES, isStopped, paceOf, type BulkSend } from '../../shared/bulk/bulkSend.ts';
import type { BulkLineStore, ReleasedLine } from '../../shared/bulk/bulkLineStore.ts';
import type { BulkSendStore } from '../../shared/bulk/bulkSendStore.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { PARKED_LIMIT } from '../../shared/message/parkedRows.ts';
import { enqueueCommand, type CommandQueue } from '../../shared/message/command.ts';
import { FIRST_LOOK_MS, isHeldByCommandAlone } from '../../shared/message/lookAgain.ts';
import { isDone } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { NotedConnection } from '../../shared/message/windowNotes.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { cancelRest } from './cancelBulkSend.ts';
import { releaseLines } from './releaseLines.ts';
import { tellBulkSend } from './tellBulkSend.ts';

/**
 * The bulk sends of one connection that are open (docs/bulk.md). Each gets a turn: its next lines become messages as there is room,
 * and when all of them have ended it is over, and its event is told. Nothing is kept in memory between two runs.
 *
 * - A run dies after any of these calls, or two are made at once: the row of the bulk send says from which line on all is to be
 *   done again. The message of a line has always the same ids, so it is made once, and its command may be there twice.
 * - It is paused or cancelled meanwhile: the write that says how far it is would be refused, so a run goes one batch too far at
 *   most. A cancel takes those messages back, and makes cancelled ones of lines that such a run may still come to.
 * - The connection is away: so many messages of the bulk send wait there as may be in flight, and no more.
 */
export interface BulkDependencies extends Pick<Surroundings, 'clock' | 'random' | 'metrics'>, CommandQueue {
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly messages: Pick<MessageStore, 'cancel' | 'find' | 'unpark'>;
  readonly bulkSends: BulkSendStore;
  readonly bulkLines: BulkLineStore;
}

/**
 * The most messages of a connection's bulk sends that have been queued and have not ended: other messages wait behind no more than
 * these.
 */
export const IN_FLIGHT = 100;

/**
 * `done`: nothing is to be done before the time that a note says. `moves`: messages became queued or ended since the run before, so
 * that there may be room in a moment. `waits`: none did, so that the next minute is soon enough.
 */
export type BulkProgress = 'done' | 'waits' | 'moves';

/** Does what there is to do for the bulk sends of a connection. @param mayGoOn whether the run has time left */
export async function workBulkSends(
  dependencies: BulkDependencies,
  { tenantId, connectionId }: NotedConnection,
  mayGoOn: () => boolean,
): Promise<BulkProgress> {
  const open = await dependencies.bulkSends.listOpen(connectionId);
  if (open.length === 0) return 'done';
  const connection = await dependencies.connections.find(tenantId, connectionId);
  const seen = new Set<BulkProgress>();
  for (const bulkSendId of open) {
    const bulk = await dependencies.bulkSends.find(connectionId, bulkSendId);
    if (bulk === undefined) continue;
    if (!mayGoOn()) return 'waits';
    const share = Math.ceil(IN_FLIGHT / open.length);
    seen.add(await new Turn(dependencies, connection, share, mayGoOn).work(bulk));
  }
  if (seen.has('moves')) return 'moves';
  return seen.has('waits') ? 'waits' : 'done';
}

/** The turn of one bulk send in a run. */
class Turn {
  readonly #dependencies: BulkDependencies;
  readonly #connection: Connection | undefined;
  readonly #share: number;
  readonly #mayGoOn: () => boolean;

  constructor(
    dependencies: BulkDependencies,
    connection: Connection | undefined,
    share: number,
    mayGoOn: () => boolean,
  ) {
    this.#dependencies = dependencies;
    this.#connection = connection;
    this.#share = share;
    this.#mayGoOn = mayGoOn;
  }

  async work(found: BulkSend): Promise<BulkProgress> {
    const bulk = await this.#stopWhereOver(found);
    if (bulk.endedAtMs !== undefined) return this.#finish(bulk);
    if (bulk.state === 'paused') {
      await this.#tell(bulk);
      return 'done';
    }
    if (isStopped(bulk)) return this.#settle(bulk);
    // The note of the window in which it may begin leads here again.
    if ((bulk.notBeforeMs ?? 0) > this.#nowMs()) return 'done';
    await this.#tell(bulk);
    return this.#release(bulk);
  }

  /** Stops one whose time is over, or whose connection is gone. */
  async #stopWhereOver(bulk: BulkSend): Promise<BulkSend> {
    if (isStopped(bulk)) return bulk;
    const isGone = this.#connection === undefined || this.#connection.wanted === 'deleted';
    const nowMs = this.#nowMs();
    if (!isGone && bulk.untilMs > nowMs) return bulk;
    const { bulkSends } = this.#dependencies;
    await bulkSends.change(bulk, isGone ? 'cancelled' : 'expired', nowMs);
    return (await bulkSends.find(bulk.connectionId, bulk.bulkSendId)) ?? bulk;
  }

  async #release(bulk: BulkSend): Promise<BulkProgress> {
    const { bulkLines, bulkSends, metrics } = this.#dependencies;
    const open = await bulkLines.states(bulk, bulk.endedBefore, bulk.released);
    const endedBefore = firstOpen(open) ?? bulk.released;
    if (endedBefore === bulk.total) return this.#end(bulk);
    await this.#sweep(bulk, open);
    let room = this.#roomOf(open);
    let step = { released: bulk.released, endedBefore, pacedAtMs: bulk.pacedAtMs };
    let now = bulk;
    while (room > 0 && now.released < now.total && this.#mayGoOn()) {
      const pace = paceOf(now, this.#nowMs());
      const count = Math.min(BATCH_LINES, room, pace.allowed, now.total - now.released);
      if (count < 1) break;
      await releaseLines(this.#dependencies, now, now.released, now.released + count);
      step = { released: now.released + count, endedBefore, pacedAtMs: pace.pacedAtMs(count) };
      if ((await bulkSends.advance(now, step, this.#nowMs())) === 'refused') return 'moves';
      metrics.count('BulkMessages', {}, count);
      room -= count;
      now = { ...now, ...step, startedAtMs: now.startedAtMs ?? this.#nowMs() };
    }
    const hasEnded = endedBefore > bulk.endedBefore;
    if (now === bulk && hasEnded) await bulkSends.advance(bulk, step, this.#nowMs());
    return now !== bulk || hasEnded ? 'moves' : 'waits';
  }

  /** Puts the commands of messages into the queue again that only a command leads to, and that stand still. */
  async #sweep(bulk: BulkSend, open: readonly ReleasedLine[]): Promise<void> {
    const { tenantId, connectionId, shard, correlationId } = bulk;
    const nowMs = this.#nowMs();
    for (const line of open) {
      const looks = looksSince(line.notBeforeMs ?? nowMs, nowMs);
      if (looks === undefined || !isHeldByCommandAlone(line)) continue;
      const { messageId } = line;
      const command = { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const;
      await enqueueCommand(this.#dependencies, shard, command, `swept-${looks}-${messageId}`);
      this.#dependencies.metrics.count('MessagesSwept', {});
    }
  }

  /** How many more lines may become messages now. */
  #roomOf(open: readonly ReleasedLine[]): number {
    const connection = this.#connection;
    // Without an account they wait: whoever links the phone again gets what is left, until the bulk send expires.
    if (connection?.account === undefined) return 0;
    const inFlight = open.filter(({ state }) => !isDone(state)).length;
    return Math.min(this.#share - inFlight, PARKED_LIMIT - connection.parkedCount);
  }

  /** Brings one that makes no more messages to its end. */
  async #settle(bulk: BulkSend): Promise<BulkProgress> {
    const until = Math.min(bulk.total, bulk.released + BATCH_LINES);
    if (bulk.state === 'cancelled') await cancelRest(this.#dependencies, bulk, until);
    const open = await this.#dependencies.bulkLines.states(bulk, bulk.endedBefore, until);
    await this.#sweep(bulk, open);
    return open.every(({ state }) => isDone(state)) ? this.#end(bulk) : 'waits';
  }

  async #end(bulk: BulkSend): Promise<BulkProgress> {
    const { bulkSends } = this.#dependencies;
    if ((await bulkSends.end(bulk, this.#nowMs())) === 'refused') return 'moves';
    const ended = await bulkSends.find(bulk.connectionId, bulk.bulkSendId);
    return ended === undefined ? 'done' : this.#finish(ended);
  }

  /** Tells that it is over, and forgets that it was open. */
  async #finish(bulk: BulkSend): Promise<BulkProgress> {
    const { bulkSends, metrics } = this.#dependencies;
    await this.#tell(bulk);
    await bulkSends.close(bulk);
    metrics.count('BulkSendsEnded', {});
    return 'done';
  }

  async #tell(bulk: BulkSend): Promise<void> {
    if (bulk.told >= bulk.changes) return;
    const { bulkLines, bulkSends } = this.#dependencies;
    await tellBulkSend(this.#dependencies, bulk, await bulkLines.count(bulk));
    await bulkSends.recordTold(bulk);
  }

  #nowMs(): number {
    return this.#dependencies.clock.nowMs();
  }
}

/** Runs are made each minute: in the first two of each hour a message is looked at. */
const LOOKED_AT_FOR_MS = 2 * 60_000;

/** How many whole hours a message stands, at the time at which it is looked at; undefined at any other. The function is pure. */
function looksSince(sinceMs: number, nowMs: number): number | undefined {
  const standsForMs = nowMs - sinceMs;
  const looks = Math.floor(standsForMs / FIRST_LOOK_MS);
  return looks >= 1 && standsForMs % FIRST_LOOK_MS < LOOKED_AT_FOR_MS ? looks : undefined;
}

/** The first line that has not ended; undefined where all have. */
function firstOpen(lines: readonly ReleasedLine[]): number | undefined {
  return lines.find(({ state }) => !isDone(state))?.line;
}
