import { MOST_OPEN_ACTIONS, isEnded, type Action } from '../../shared/action/action.ts';
import type { ActionErrorCode } from '../../shared/action/actionError.ts';
import { effectOf, isKnownKind, type ActionKind } from '../../shared/action/actionKinds.ts';
import type { OpenAction, OpenActions } from '../../shared/action/openActions.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { waitUntil } from '../../shared/kernel/clock.ts';
import type { ActionId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { AskingSocket } from '../socket/port/connectionSocket.ts';
import { ActionPace } from './actionPace.ts';
import { ActionPictures, type ActionPicturesDependencies } from './actionPictures.ts';
import { decideOpen } from './judgeAction.ts';
import { endAction, runAction, tellEnd, type BegunAction, type RunDependencies } from './runAction.ts';

export interface ActionsDependencies
  extends
    Omit<RunDependencies, 'openActions'>,
    Omit<ActionPicturesDependencies, 'owned' | 'clock' | 'assertOpen'>,
    Pick<Surroundings, 'random'> {
  readonly openActions: Pick<OpenActions, 'add' | 'remove' | 'ofConnection'>;
  /** The socket on which WhatsApp may be asked now, if there is one. */
  readonly socket: () => AskingSocket | undefined;
}

/** The number of actions that are asked for at once on one connection: few, so that messages have the line. */
export const MOST_RUNNING = 4;
/** The number of rows that are read at a time. The API accepts no more, except ones that come in the same moment. */
const MOST_LISTED = 2 * MOST_OPEN_ACTIONS;
/** The least time after which an action that waits is looked at again, in milliseconds. */
const SOON_MS = 1;
const RETRY = { firstMs: 1_000, capMs: 30_000 } as const;

/**
 * All actions of one owned connection. A command is worked by writing down that its action is open; open actions are
 * then found by a query, in the order in which they were asked for, whoever wrote them down. A few are asked for at
 * once.
 */
export class ConnectionActions {
  readonly #dependencies: ActionsDependencies;
  readonly #running = new Map<ActionId, Promise<void>>();
  readonly #pace: ActionPace;
  readonly #pictures: ActionPictures;
  /**
   * Whether each open row was compared with its action since this ownership began: an earlier owner may have left some
   * begun.
   */
  #knowsAll = false;
  #again = false;
  #looking: Promise<void> | undefined;
  #finishing = false;
  #waiting = new AbortController();

  constructor(dependencies: ActionsDependencies) {
    this.#dependencies = dependencies;
    this.#pace = new ActionPace(dependencies);
    this.#pictures = new ActionPictures(dependencies);
  }

  /** Takes over an action. Throws when a store does not answer: the command then goes back. */
  async handle(actionId: ActionId): Promise<'done' | 'later'> {
    const { owned, actions, openActions, assertOpen, clock, logger } = this.#dependencies;
    if (this.#finishing) return 'later';
    assertOpen();
    const action = await actions.find(owned.connectionId, actionId);
    if (action === undefined) {
      logger.warn('command without an action row', { actionId });
      return 'done';
    }
    if (isEnded(action)) {
      await tellEnd(this.#dependencies, action);
      return 'done';
    }
    await openActions.add(owned.shard, action, clock.nowMs());
    if (action.state === 'running') this.#knowsAll = false;
    this.look();
    return 'done';
  }

  /** Asks on a new socket that may be used. Pauses of the socket before are over. */
  allow(): void {
    this.#pace.reset();
    this.look();
  }

  /** Looks soon, because an action may be open. Never throws, never waits. */
  look(): void {
    this.#again = true;
    this.#waiting.abort();
    if (this.#looking === undefined && !this.#finishing) this.#looking = this.#keepLooking();
  }

  /**
   * Begins nothing more, and resolves when nothing is being asked. A command that comes later goes back to the queue.
   */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#waiting.abort();
    await this.#looking;
    await Promise.all(this.#running.values());
  }

  /** Fails all open actions, for example because the connection was deleted. */
  async failAll(code: ActionErrorCode): Promise<void> {
    const { owned, actions, openActions } = this.#dependencies;
    for (;;) {
      const open = await openActions.ofConnection(owned, MOST_LISTED);
      if (open.length === 0) return;
      for (const { actionId } of open) {
        const action = await actions.find(owned.connectionId, actionId);
        if (action === undefined) await openActions.remove(owned, actionId);
        else if (isEnded(action)) await tellEnd(this.#dependencies, action);
        // A newer owner has all of them.
        else if ((await this.#end(action, code)) === 'elsewhere') return;
      }
    }
  }

  async #end(action: Action, code: ActionErrorCode): Promise<'over' | 'elsewhere'> {
    const isLost = action.state === 'running' && effectOf(action.kind) === 'once';
    const error = { code: isLost ? 'outcome_unknown' : code } as const;
    return (await endAction(this.#dependencies, action, { state: 'failed', error })).run;
  }

  async #keepLooking(): Promise<void> {
    const { clock, random, logger } = this.#dependencies;
    let failures = 0;
    while (this.#again && !this.#finishing) {
      this.#again = false;
      const waiting = new AbortController();
      this.#waiting = waiting;
      let nextMs: number;
      try {
        nextMs = await this.#lookThrough();
        failures = 0;
      } catch (error) {
        logger.warn('open actions could not be looked through', { error });
        failures += 1;
        nextMs = clock.monotonicMs() + backoffMs(RETRY, failures - 1, random.unit());
      }
      if (nextMs === Infinity) continue;
      await waitUntil(clock, nextMs, waiting.signal);
      this.#again = true;
    }
    this.#looking = undefined;
  }

  /**
   * Begins the actions that may be begun. Returns when to look again, on the monotonic clock; Infinity when another
   * event will start the next look.
   */
  async #lookThrough(): Promise<number> {
    const { owned, openActions, assertOpen, clock } = this.#dependencies;
    assertOpen();
    const open = await openActions.ofConnection(owned, MOST_LISTED);
    let nextMs = Infinity;
    for (const one of open) {
      if (this.#finishing) return Infinity;
      if (this.#running.has(one.actionId)) continue;
      const waitMs = this.#waitOf(one);
      if (waitMs > 0 && this.#knowsAll) {
        nextMs = Math.min(nextMs, clock.monotonicMs() + waitMs);
        continue;
      }
      // The end of one of them starts the next look.
      if (this.#running.size >= MOST_RUNNING) return nextMs;
      const againInMs = await this.#comeTo(one, waitMs === 0);
      if (againInMs !== undefined) nextMs = Math.min(nextMs, clock.monotonicMs() + Math.max(waitMs, againInMs));
    }
    this.#knowsAll = true;
    return nextMs;
  }

  /** How long nothing can become of an action, in milliseconds; 0 when something can now, if only that it expires. */
  #waitOf({ kind, expiresAtMs }: OpenAction): number {
    const leftMs = Math.max(0, expiresAtMs - this.#dependencies.clock.nowMs());
    return this.#dependencies.socket() === undefined ? leftMs : Math.min(leftMs, this.#pace.waitMs(kind));
  }

  /** Does with an open action what is to be done now. Returns after how many milliseconds it waits for something; undefined where it does not. */
  async #comeTo({ actionId, kind }: OpenAction, isDue: boolean): Promise<number | undefined> {
    const { owned, actions, openActions, clock, socket: usable } = this.#dependencies;
    const action = await actions.find(owned.connectionId, actionId);
    // A drain may have begun meanwhile: what it waits for is said by then.
    if (this.#finishing) return SOON_MS;
    const socket = usable();
    const canAsk = isDue && socket !== undefined && isKnownKind(kind);
    const decided = decideOpen(action, effectOf(kind), { nowMs: clock.nowMs(), canAsk });
    if (action === undefined || decided.decision === 'forget') await openActions.remove(owned, actionId);
    else if (decided.decision === 'tell') await tellEnd(this.#dependencies, action);
    else if (decided.decision === 'end') await endAction(this.#dependencies, action, decided.ended);
    else if (decided.decision === 'wait' || socket === undefined) return SOON_MS;
    else return this.#begin(action, socket, decided.isTakenUp);
    return undefined;
  }

  /** Begins an action, unless its picture is not there. Returns what {@link #comeTo} does. */
  async #begin(action: Action, socket: AskingSocket, isTakenUp: boolean): Promise<number | undefined> {
    const look = await this.#pictures.look(action);
    if (look.picture === 'waits') {
      const leftMs = action.expiresAtMs - this.#dependencies.clock.nowMs();
      return Math.max(SOON_MS, Math.min(look.againInMs, leftMs));
    }
    if (look.picture === 'failed') {
      await endAction(this.#dependencies, action, { state: 'failed', error: { code: look.code } });
      return undefined;
    }
    const beside = look.picture === 'ready' ? { picture: look.jpeg } : {};
    this.#start({ action, socket, isTakenUp, beside });
    return undefined;
  }

  #start(begun: BegunAction): void {
    const { actionId, kind, correlationId } = begun.action;
    this.#pace.take(kind);
    const run = async (): Promise<void> => {
      try {
        const ended = await runAction(this.#dependencies, begun);
        this.#note(kind, ended.run === 'elsewhere' || (ended.run === 'again' && ended.rests));
      } catch (error) {
        // The row says `running`: the next look finds it, here or at the next owner.
        this.#knowsAll = false;
        this.#dependencies.logger.warn('action not brought to its end', { actionId, correlationId, error });
        this.#pace.fail(kind);
      } finally {
        this.#running.delete(actionId);
        this.look();
      }
    };
    this.#running.set(actionId, run());
  }

  #note(kind: ActionKind, rests: boolean): void {
    if (rests) this.#pace.fail(kind);
    else this.#pace.pass(kind);
  }
}
