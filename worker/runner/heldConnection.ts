import { Mutex } from 'async-mutex';
import type { ConnectionActions } from '../actions/connectionActions.ts';
import type { ConnectionFiles } from '../files/connectionFiles.ts';
import type { AccountLimit } from '../../shared/connection/brakes.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionVitals, SocketSymptom } from '../../shared/connection/liveness.ts';
import { readSettings, type ConnectionSettings } from '../../shared/connection/settings.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { ConnectionStatus } from '../../shared/connection/status.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { ControlKind } from '../../shared/message/command.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { CommandResult, ConnectionOutbox } from '../sending/connectionOutbox.ts';
import { decideControl, type ControlAction, type RunnerView } from './controlCommand.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { ConnectionSocket } from '../socket/port/connectionSocket.ts';
import type { RecordedStatus } from './connectionRecorder.ts';
import type { ConnectionRunner } from './connectionRunner.ts';
import { toHeldStatus, type HeldStatus } from './heldStatus.ts';
import type { Sending, SocketSource } from './runnerDependencies.ts';
import type { Input, StopReason } from './machineTypes.ts';

/** Makes the parts of one connection. They are composed in one place, so that tests can make fakes. */
export interface ConnectionParts {
  /** @param settings the tenant's settings as they are now */
  readonly makeOutbox: (
    owned: OwnedConnection,
    socket: () => ConnectionSocket | undefined,
    settings: () => ConnectionSettings,
  ) => ConnectionOutbox;
  readonly makeFiles: (owned: OwnedConnection, socket: () => ConnectionSocket | undefined) => ConnectionFiles;
  readonly makeActions: (owned: OwnedConnection, socket: () => ConnectionSocket | undefined) => ConnectionActions;
  /** Publishes that the connection is deleted, behind all else that was published of it. Rejects when the queue does not accept that. */
  readonly tellDeleted: (owned: OwnedConnection) => Promise<void>;
  /** Whether nothing is to stay of a connection that is deleted, as its tenant is deleted with it. */
  readonly isForGood: (owned: OwnedConnection) => Promise<boolean>;
  /**
   * @param settings the tenant's settings as they are now
   * @param onLimit called when WhatsApp says what the account may not do at present, or may again
   */
  readonly makeSocketSource: (
    owned: OwnedConnection,
    settings: () => ConnectionSettings,
    onLimit: (told: AccountLimit) => void,
  ) => SocketSource;
  readonly makeRunner: (options: {
    readonly owned: OwnedConnection;
    readonly settings: () => ConnectionSettings;
    /** When an earlier runner asked for its last socket, on the monotonic clock. */
    readonly openedAtMs: number | undefined;
    readonly sockets: SocketSource;
    readonly scope: Scope;
    readonly sending: Sending;
    readonly shown: RecordedStatus;
    readonly nextFactNumber: () => number;
    readonly onStopped: (reason: StopReason) => void;
  }) => ConnectionRunner;
}

export interface HeldDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly parts: ConnectionParts;
  readonly connections: Pick<ConnectionStore, 'find' | 'remove' | 'clearLogout'>;
  /**
   * Numbers status facts, never twice in the life of the process: an ownership may be taken up again under its token.
   */
  readonly nextFactNumber: () => number;
  /** The scope of the shard; each runner has one of its own below. */
  readonly scope: Scope;
  /** Called when the record is gone: nothing is held any more. */
  readonly onForgotten: () => void;
}

type DeliveredAction = Extract<
  ControlAction,
  { readonly action: 'start' | 'pair' | 'answer_passkey' | 'restart' | 'stop' }
>;

/** Statuses that an unlinked connection has only while it pairs. */
const MAY_BE_LINKED: ReadonlySet<ConnectionStatus> = new Set(['awaiting_pairing', 'connecting', 'reconnecting']);
/**
 * The limit on a stop, in milliseconds: closing with a logout, retiring credentials and recording it all end before
 * this.
 */
const STOP_DEADLINE_MS = 60_000;

/**
 * One connection of a shard that this worker owns: its outbox, which lives as long as the ownership, and at most one
 * runner, which is made when the connection is wanted online.
 */
export class HeldConnection {
  readonly #dependencies: HeldDependencies;
  readonly #owned: OwnedConnection;
  readonly #sockets: SocketSource;
  /** The turn of comparisons with the record: one at a time. */
  readonly #turn = new Mutex();
  readonly outbox: ConnectionOutbox;
  readonly actions: ConnectionActions;
  readonly files: ConnectionFiles;
  #runner: ConnectionRunner | undefined;
  #stopReason: StopReason | undefined;
  #lostAtMs = Number.NEGATIVE_INFINITY;
  #handledPairing: string | undefined;
  #settings: ConnectionSettings = {};
  #appliedChanges: number | undefined;
  #openedAtMs: number | undefined;
  /** The generation of the last socket that the supervisor recycled. */
  #recycledGeneration: number | undefined;
  #ending = false;

  constructor(owned: OwnedConnection, dependencies: HeldDependencies) {
    this.#owned = owned;
    this.#dependencies = dependencies;
    const settings = (): ConnectionSettings => this.#settings;
    const onLimit = (told: AccountLimit): void => this.outbox.heard(told);
    this.#sockets = dependencies.parts.makeSocketSource(owned, settings, onLimit);
    const socket = (): ConnectionSocket | undefined => this.#runner?.usableSocket();
    this.outbox = dependencies.parts.makeOutbox(owned, socket, settings);
    this.actions = dependencies.parts.makeActions(owned, socket);
    this.files = dependencies.parts.makeFiles(owned, socket);
  }

  get isOnline(): boolean {
    return this.#runner?.state.name === 'online';
  }

  get status(): HeldStatus {
    return toHeldStatus(this.#runner?.state.name);
  }

  /** The runner's state, for `decideControl`. */
  view(): RunnerView {
    const known = { handledPairing: this.#handledPairing, appliedChanges: this.#appliedChanges };
    if (this.#runner !== undefined) return { runner: 'running', ...known };
    if (this.#stopReason === 'gave_up') return { runner: 'gave_up', ...known };
    return { runner: this.#stopReason === 'off' ? 'off' : 'absent', ...known };
  }

  /** When a newer owner was met last, on the monotonic clock; minus infinity for never. */
  get lostAtMs(): number {
    return this.#lostAtMs;
  }

  /** The evidence that the connection shows of its life. */
  vitals(): ConnectionVitals {
    const { tenantId, connectionId, shard } = this.#owned;
    const nowMs = this.#dependencies.clock.monotonicMs();
    const busySinceMs = this.#runner?.busySinceMs;
    return {
      tenantId,
      connectionId,
      shard,
      runnerBusyMs: busySinceMs === undefined ? undefined : nowMs - busySinceMs,
      evidence: this.#runner?.livingSocket?.evidence(nowMs),
    };
  }

  /** Asks WhatsApp for a sign of life on the socket, if there is one. */
  probe(): void {
    this.#runner?.livingSocket?.probe();
  }

  /** Recycles the socket. Returns false when there is none, or when it was recycled before. */
  recycle(symptom: SocketSymptom, forMs: number): boolean {
    const socket = this.#runner?.livingSocket;
    if (socket === undefined || socket.generation === this.#recycledGeneration) return false;
    this.#recycledGeneration = socket.generation;
    this.#runner?.deliver({ type: 'unwell', generation: socket.generation, symptom, forMs });
    return true;
  }

  /** Reads the record and does what it asks for. Rejects when a store does not answer. */
  async reconcile(trigger: ControlKind | 'listing'): Promise<CommandResult> {
    const { connections, clock } = this.#dependencies;
    // A person waits for the offer: the session is read beside the record.
    if (trigger === 'pair') this.#sockets.warm();
    return this.#turn.runExclusive(async () => {
      const connection = await connections.find(this.#owned.tenantId, this.#owned.connectionId);
      this.#settings = readSettings(connection?.settings);
      this.#appliedChanges = connection?.changes ?? 0;
      for (const action of decideControl(connection, this.view(), trigger, clock.nowMs())) {
        if (this.#ending) return 'later';
        if ((await this.#perform(action, connection)) === 'later') return 'later';
      }
      this.outbox.look();
      return 'done';
    });
  }

  /** Makes the next socket use another client version. */
  versionChanged(): void {
    this.#runner?.deliver({ type: 'version_changed' });
  }

  /** Ends for a hand-off: sends in flight finish, the socket closes without logging out. */
  async drain(): Promise<void> {
    this.#ending = true;
    const runner = this.#runner;
    if (runner === undefined) return this.finish();
    runner.deliver({ type: 'drain_requested' });
    await withDeadline('draining a connection', STOP_DEADLINE_MS, () => runner.stopped, this.#dependencies.clock);
    await this.finish();
  }

  /**
   * Closes the socket without logging out, because another worker owns the connection, and writes nothing more.
   * Resolves when closed.
   */
  async lose(): Promise<void> {
    this.#ending = true;
    const runner = this.#runner;
    runner?.deliver({ type: 'ownership_lost' });
    void this.finish();
    if (runner === undefined) return;
    const { clock } = this.#dependencies;
    await withDeadline('closing a lost connection', STOP_DEADLINE_MS, () => runner.stopped, clock);
  }

  /** Begins nothing more, and resolves when neither a message, an action nor a request for a file is in flight. */
  async finish(): Promise<void> {
    await Promise.all([this.outbox.finish(), this.actions.finish(), this.files.finish()]);
  }

  /** Fails messages that wait and actions that are open. */
  async #failAll(code: 'connection_not_paired' | 'connection_deleted'): Promise<void> {
    await this.outbox.failAll(code);
    await this.actions.failAll(code);
  }

  async #perform(action: ControlAction, connection: Connection | undefined): Promise<CommandResult> {
    if (action.action === 'forget') {
      await this.lose();
      // An action may have been noted while the connection was being removed.
      await this.actions.failAll('connection_deleted');
      this.#dependencies.onForgotten();
    } else if (action.action === 'fail_messages') {
      await this.#failAll('connection_not_paired');
    } else if (connection !== undefined) {
      if (action.action === 'remove') return this.#remove(connection);
      if (action.action === 'log_out') return this.#logOut(connection, action.requestId);
      const input = await this.#toInput(action, connection);
      if (this.#ending) return 'later';
      (this.#runner ?? this.#start(connection)).deliver(input);
    }
    return 'done';
  }

  async #toInput(action: DeliveredAction, connection: Connection): Promise<Input> {
    if (action.action === 'start') {
      // An earlier owner may have died between a pairing and its record: then the credentials know better.
      const linked = action.linked || (MAY_BE_LINKED.has(connection.status) && (await this.#sockets.isLinked()));
      return { type: 'start', linked, code: action.code };
    }
    if (action.action === 'answer_passkey') return { type: 'passkey_answered', answer: action.answer };
    if (action.action === 'restart') return { type: 'restart_requested' };
    if (action.action === 'stop') return { type: 'stop_requested' };
    this.#handledPairing = action.pairing.requestId;
    return { type: 'pair_requested', pairing: action.pairing };
  }

  /** Unlinks, fails what waits, tells of it, and removes the record last: until then a new owner finds it and carries on. */
  async #remove(connection: Connection): Promise<CommandResult> {
    const { connections, onForgotten, parts } = this.#dependencies;
    if ((await this.#unlink(connection)) !== 'unlinked') return 'later';
    // This closes once more, and now a failure is not survivable: a record must not go while its credentials are in
    // use.
    if ((await this.#sockets.retire()) === 'lost') return 'later';
    await this.#failAll('connection_deleted');
    await parts.tellDeleted(this.#owned);
    if ((await parts.isForGood(this.#owned)) && (await this.#sockets.remove()) === 'lost') return 'later';
    await connections.remove(connection);
    onForgotten();
    return 'done';
  }

  /** Unlinks the device on request and keeps the record: another account may be linked to it. */
  async #logOut(connection: Connection, requestId: string): Promise<CommandResult> {
    if ((await this.#unlink(connection)) !== 'unlinked') return 'later';
    if ((await this.#sockets.retire()) === 'lost') return 'later';
    await this.#failAll('connection_not_paired');
    await this.#dependencies.connections.clearLogout(this.#owned, requestId);
    return 'done';
  }

  async #unlink(connection: Connection): Promise<StopReason> {
    const reason = await this.#askToUnlink(connection);
    // A runner that was stopping already has unlinked nothing: another one is made for that.
    return reason === 'off' || reason === 'gave_up' ? this.#askToUnlink(connection) : reason;
  }

  async #askToUnlink(connection: Connection): Promise<StopReason> {
    const runner = this.#runner ?? this.#start(connection);
    runner.deliver({ type: 'unlink_requested' });
    const { clock } = this.#dependencies;
    return withDeadline('unlinking a connection', STOP_DEADLINE_MS, () => runner.stopped, clock);
  }

  #start(connection: Connection): ConnectionRunner {
    const runner: ConnectionRunner = this.#dependencies.parts.makeRunner({
      owned: this.#owned,
      settings: () => this.#settings,
      openedAtMs: this.#openedAtMs,
      sockets: this.#sockets,
      scope: this.#dependencies.scope.child(this.#owned.connectionId),
      sending: {
        allow: () => {
          this.outbox.allow();
          this.actions.allow();
          this.files.allow();
        },
        finish: () => this.finish(),
        failAll: () => this.#failAll('connection_not_paired'),
      },
      shown: {
        status: connection.status,
        code: connection.statusCode,
        sinceMs: connection.statusSinceMs,
        transitions: connection.transitions ?? 0,
      },
      nextFactNumber: this.#dependencies.nextFactNumber,
      onStopped: (reason) => {
        this.#stopReason = reason;
        if (reason === 'ownership_lost') this.#lostAtMs = this.#dependencies.clock.monotonicMs();
        this.#openedAtMs = runner.openedAtMs;
        this.#runner = undefined;
      },
    });
    this.#runner = runner;
    this.#recycledGeneration = undefined;
    return runner;
  }
}
