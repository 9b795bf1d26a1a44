import type { OpenActions } from '../../shared/action/openActions.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { isUnpairedTooLong, type UnpairedPlaces } from '../../shared/connection/unpairedPlaces.ts';
import type { ConnectionVitals } from '../../shared/connection/liveness.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { decideControl, hasOldSettings, type RunnerView } from './controlCommand.ts';
import { HeldConnection, type ConnectionParts } from './heldConnection.ts';
import type { HeldStatus } from './heldStatus.ts';
import { WaitingWatch, type Waiting } from './waitingWatch.ts';

/** The logger is bound to the shard and its epoch. */
export interface RunnersDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly shard: number;
  /** The shard's epoch: the token of every write. */
  readonly token: number;
  readonly parts: ConnectionParts;
  readonly connections: Pick<ConnectionStore, 'find' | 'remove' | 'clearLogout' | 'listOfShard'>;
  readonly unpairedPlaces: Pick<UnpairedPlaces, 'free' | 'expire'>;
  readonly messages: Pick<MessageStore, 'listParked'>;
  readonly openActions: Pick<OpenActions, 'connectionsOf'>;
  readonly nextFactNumber: () => number;
  /** The scope of the shard. Its close ends everything at once. */
  readonly scope: Scope;
  readonly listEveryMs?: number;
}

/**
 * The time between two listings, in milliseconds. The listing makes up for lost commands, so that a tenant's request is
 * done 30 s later at the latest. It is one query for a shard, however many connections have changed.
 */
const LIST_EVERY_MS = 25_000;
/** How long a lost connection rests, in milliseconds: longer than an observer needs to see a death and to claim. */
const LOST_RESTS_MS = 60_000;
const RETRY_MS = 1_000;

const ABSENT: RunnerView = { runner: 'absent', handledPairing: undefined, appliedChanges: undefined };

/** All connections of one owned shard: one {@link HeldConnection} each, made at the claim, by commands and by listing. */
export class ConnectionRunners {
  readonly #dependencies: RunnersDependencies;
  readonly #held = new Map<ConnectionId, HeldConnection>();
  readonly #ended = new AbortController();
  readonly #waiting: WaitingWatch;
  #listing: Promise<void> | undefined;

  constructor(dependencies: RunnersDependencies) {
    this.#dependencies = dependencies;
    this.#waiting = new WaitingWatch(dependencies.messages);
    dependencies.scope.hold('other', () => this.#abandon());
  }

  get size(): number {
    return this.#held.size;
  }

  /** The number of connections whose socket is open. */
  get online(): number {
    return [...this.#held.values()].filter((held) => held.isOnline).length;
  }

  /** All connections that are held. */
  get all(): readonly HeldConnection[] {
    return [...this.#held.values()];
  }

  /** The status of each of them. */
  get statuses(): readonly HeldStatus[] {
    return this.all.map(({ status }) => status);
  }

  /** The messages that wait to be sent on the connections that are online. */
  waiting(nowMs: number): Waiting {
    return this.#waiting.of((connectionId, parkedSinceMs) => {
      const held = this.#held.get(connectionId);
      return held?.isOnline === true ? held.outbox.waitingSinceMs(parkedSinceMs) : undefined;
    }, nowMs);
  }

  /** The evidence that each of them shows of its life. */
  vitals(): readonly ConnectionVitals[] {
    return this.all.map((held) => held.vitals());
  }

  /** Begins to list the shard's connections, now and every 25 s, and starts those that are wanted. */
  start(): void {
    this.#listing ??= this.#keepListing();
  }

  /** The connection that a command is for; made where there is none yet. */
  hold(tenantId: TenantId, connectionId: ConnectionId): HeldConnection {
    const known = this.#held.get(connectionId);
    if (known !== undefined) return known;
    const { shard, token, logger } = this.#dependencies;
    const held = new HeldConnection(
      { tenantId, connectionId, shard, token },
      {
        ...this.#dependencies,
        logger: logger.child({ tenantId, connectionId }),
        onForgotten: () => {
          if (this.#held.get(connectionId) === held) this.#held.delete(connectionId);
        },
      },
    );
    this.#held.set(connectionId, held);
    // It is too late to begin anything: the command goes back to the queue.
    if (this.#ended.signal.aborted) void held.drain();
    return held;
  }

  /** Makes sockets use another client version. */
  versionChanged(): void {
    for (const held of this.#held.values()) held.versionChanged();
  }

  /** Ends all connections for a hand-off. Resolves when every socket is closed and nothing is in flight. */
  async drain(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#held.values()].map((held) => held.drain()));
    await this.#listing;
  }

  /** Closes all sockets without logging out, and writes nothing, because another worker owns the shard. */
  async lose(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#held.values()].map((held) => held.lose()));
  }

  /** Ends the listing and the waiting sends; the runners have ended with their scopes. */
  #abandon(): void {
    this.#ended.abort();
    for (const held of this.#held.values()) void held.finish();
  }

  async #keepListing(): Promise<void> {
    const { clock, logger, listEveryMs = LIST_EVERY_MS } = this.#dependencies;
    while (!this.#ended.signal.aborted) {
      const complete = await this.#list().catch((error: unknown) => {
        logger.warn('connections of a shard could not be listed', { error });
        return false;
      });
      await clock.sleep(complete ? listEveryMs : Math.min(RETRY_MS, listEveryMs), this.#ended.signal);
    }
  }

  /** Lists the shard's connections. Returns whether every connection is as its record asks for. */
  async #list(): Promise<boolean> {
    const { connections, shard, clock } = this.#dependencies;
    const listed = new Map((await connections.listOfShard(shard)).map((found) => [found.connectionId, found]));
    const stray = [...this.#held].filter(([connectionId]) => !listed.has(connectionId)).map(([, held]) => held);
    const behind = [...listed.values()].filter((found) => this.#isBehind(found, clock.nowMs()));
    // A shard is small, and each of these is a read and a decision: they may go side by side.
    const done = await Promise.all([
      ...behind.map((found) => this.#reconcile(this.hold(found.tenantId, found.connectionId))),
      ...stray.map((held) => this.#reconcile(held)),
    ]);
    for (const { outbox } of this.#held.values()) outbox.look();
    await this.#lookAtActions();
    await this.#waiting.look([...listed.values()], clock.nowMs());
    // What only tidies up comes last: nothing waits for it, and a store that refuses it holds up nothing else.
    await this.#lookAtUnpaired([...listed.values()], clock.nowMs());
    return done.every(Boolean);
  }

  /** Gives back the places of connections that have an account now, and has those deleted to which nobody links one. */
  async #lookAtUnpaired(listed: readonly Connection[], nowMs: number): Promise<void> {
    const { unpairedPlaces, logger } = this.#dependencies;
    for (const connection of listed) {
      const { connectionId, account, unpairedPlace, wanted } = connection;
      if (unpairedPlace === undefined || wanted === 'deleted' || this.#ended.signal.aborted) continue;
      if (account !== undefined) await unpairedPlaces.free(connection);
      else if (isUnpairedTooLong(connection, nowMs) && (await unpairedPlaces.expire(connection)) === 'expired') {
        logger.info('a connection without an account is to be deleted, since its time is over', { connectionId });
      }
    }
  }

  /**
   * Looks for open actions with one query for the shard: an earlier owner may have left some, also on connections that
   * are not wanted online.
   */
  async #lookAtActions(): Promise<void> {
    const { openActions, shard } = this.#dependencies;
    for (const { tenantId, connectionId } of await openActions.connectionsOf(shard)) {
      if (!this.#ended.signal.aborted) this.hold(tenantId, connectionId).actions.look();
    }
  }

  /** The index is read eventually consistently: it only tells where to look. */
  #isBehind(found: Connection, nowMs: number): boolean {
    const held = this.#held.get(found.connectionId);
    // A connection that has met a newer owner is let alone: this worker learns soon that the shard is lost.
    if (held !== undefined && this.#dependencies.clock.monotonicMs() - held.lostAtMs < LOST_RESTS_MS) return false;
    const view = held?.view();
    if (view !== undefined && hasOldSettings(found, view)) return true;
    return decideControl(found, view ?? ABSENT, 'listing', nowMs).length > 0;
  }

  async #reconcile(held: HeldConnection): Promise<boolean> {
    if (this.#ended.signal.aborted) return true;
    try {
      return (await held.reconcile('listing')) === 'done';
    } catch (error) {
      this.#dependencies.logger.warn('connection could not be brought to its wanted state', { error });
      return false;
    }
  }
}
