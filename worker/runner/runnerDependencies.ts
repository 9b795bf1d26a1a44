import type { Scope } from '../../shared/kernel/scope.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { ConnectionSocket, PairingRequest, SocketInput } from '../socket/port/connectionSocket.ts';
import type { ConnectionRecorder } from './connectionRecorder.ts';
import type { Policy, StopReason } from './machineTypes.ts';

/** Opens the sockets of one connection, and keeps its credentials. */
export interface SocketSource {
  /** Begins to read the session, which is about to be used. */
  readonly warm: () => void;
  /**
   * Does for a pairing what {@link open} does first, so that a slow store takes no other connection's turn to open. A
   * login waits for its turn before it asks the store: after a failover there are many.
   */
  readonly prepare: () => Promise<void>;
  /**
   * Raises the epoch of the credentials, then opens. Inputs arrive through `onInput`, also before this resolves.
   * Returns `lost` when a newer owner has raised it, and `unlinked` when there is nothing to log in with.
   * Rejects when a store does not answer.
   */
  readonly open: (request: {
    readonly generation: number;
    /** The pairing to open for; undefined for a login with the stored credentials. */
    readonly pairing: PairingRequest | undefined;
    readonly onInput: (input: SocketInput) => void;
    /** Called when WhatsApp has let the socket in: its handshake is over. */
    readonly onLoggedIn: () => void;
    /** The scope of the socket's parts; its close ends the socket at once, without a word to WhatsApp. */
    readonly scope: Scope;
  }) => Promise<ConnectionSocket | 'lost' | 'unlinked'>;
  /** Whether WhatsApp refuses the client version of the next socket, so that a login would be wasted. */
  readonly isVersionRefused: () => boolean;
  /**
   * Removes the device at WhatsApp, on a socket that is opened and closed for it. Returns `lost` when a newer owner has
   * written, `skipped` when there is nothing to log in with, and `refused` when WhatsApp did not let it in.
   * @param late gives up and closes the socket
   */
  readonly logOut: (late: AbortSignal, scope: Scope) => Promise<'done' | 'lost' | 'skipped' | 'refused'>;
  /** Whether there are credentials to log in with. Rejects when a store does not answer. */
  readonly isLinked: () => Promise<boolean>;
  /**
   * Retires the credentials: they are kept encrypted and not used any more. Returns `lost` when a newer owner has
   * written.
   */
  readonly retire: () => Promise<'retired' | 'lost'>;
  /** Removes all that is kept of the session, also what was retired. Returns `lost` when a newer owner has written. */
  readonly remove: () => Promise<'removed' | 'lost'>;
  /** Forgets unwritten changes because another worker owns the connection; nothing is written from here on. */
  readonly abandon: () => void;
}

/** The part that sends messages on the runner's socket. */
export interface Sending {
  /** Begins to send: the socket may be used from here on. */
  readonly allow: () => void;
  /** Takes no more, and resolves when nothing is in flight. */
  readonly finish: () => Promise<void>;
  /** Fails all waiting messages, because no account is linked. */
  readonly failAll: () => Promise<void>;
}

/** The logger is bound to the connection and its epoch. */
export interface RunnerDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  /** The rules at present; read at each step, as a tenant may change them. */
  readonly policy: () => Policy;
  readonly sockets: SocketSource;
  /** The scope of the timers and sockets of this runner. Its close ends the runner at once: nothing more is written. */
  readonly scope: Scope;
  readonly recorder: ConnectionRecorder;
  readonly sending: Sending;
  /**
   * Waits for a turn to open a socket. Resolves to a function that returns the handshake slot. Rejects when `signal`
   * aborts.
   */
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  /** Reads whether the store shows a newer owner. Rejects when it does not answer. */
  readonly readOwnership: () => Promise<'owned' | 'lost'>;
  /** When an earlier runner of this connection asked for its last socket, on the monotonic clock. */
  readonly openedAtMs: number | undefined;
  /** Called once, when the runner has ended. */
  readonly onStopped: (reason: StopReason) => void;
  /**
   * Called when something cannot be undone from here, for example a socket that does not close: the process must end.
   */
  readonly onBroken: (error: unknown) => void;
}
