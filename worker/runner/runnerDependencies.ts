import type { Scope } from '../../shared/kernel/scope.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { ConnectionSocket, PairingRequest, SocketInput } from '../socket/port/connectionSocket.ts';
import type { ConnectionRecorder } from './connectionRecorder.ts';
import type { Policy, StopReason } from './machineTypes.ts';

/** Opens the sockets of one connection, and keeps its credentials. */
export interface SocketSource {
  /**
   * Raises the epoch of the credentials, then opens. Inputs arrive through `onInput`, also before this resolves.
   * Returns `lost` when a newer owner has raised it, and `unlinked` when there is nothing to log in with.
   * Rejects when a store does not answer.
   */
  readonly open: (request: {
    readonly generation: number;
    /** Absent for a login with the stored credentials. */
    readonly pairing: PairingRequest | undefined;
    readonly onInput: (input: SocketInput) => void;
    /** Owns what the socket is made of; its close ends the socket at once, without a word to WhatsApp. */
    readonly scope: Scope;
  }) => Promise<ConnectionSocket | 'lost' | 'unlinked'>;
  /** Whether WhatsApp refuses the client version that the next socket would claim to be: a login would be wasted. */
  readonly isVersionRefused: () => boolean;
  /**
   * Removes the device at WhatsApp, on a socket that is opened and closed for it. Returns `lost` when a newer owner has
   * written, `skipped` when there is nothing to log in with, and `refused` when WhatsApp did not let it in.
   * @param late gives up and closes the socket
   */
  readonly logOut: (late: AbortSignal, scope: Scope) => Promise<'done' | 'lost' | 'skipped' | 'refused'>;
  /** Whether there are credentials to log in with. Rejects when a store does not answer. */
  readonly isLinked: () => Promise<boolean>;
  /** Credentials are kept encrypted and not used any more. Returns `lost` when a newer owner has written. */
  readonly retire: () => Promise<'retired' | 'lost'>;
  /** Somebody else owns the connection: what waits to be written is forgotten, and nothing is written from here on. */
  readonly abandon: () => void;
}

/** What sends messages on the runner's socket. */
export interface Sending {
  /** The socket may be used from here on: send what waits. */
  readonly allow: () => void;
  /** Takes no more, and resolves when nothing is in flight. */
  readonly finish: () => Promise<void>;
  /** No account is linked: what waits fails. */
  readonly failAll: () => Promise<void>;
}

/** The logger is bound to the connection and its epoch. */
export interface RunnerDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  /** Asked at each step: a tenant may change it. */
  readonly policy: () => Policy;
  readonly sockets: SocketSource;
  /** Owns the timers and sockets of this runner. Its close ends the runner at once: nothing more is written. */
  readonly scope: Scope;
  readonly recorder: ConnectionRecorder;
  readonly sending: Sending;
  /** Waits for a turn to open a socket. Resolves to what gives the handshake slot back. Rejects when `signal` aborts. */
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  /** Whether the store shows a newer owner. Rejects when it does not answer. */
  readonly readOwnership: () => Promise<'owned' | 'lost'>;
  /** When an earlier runner of this connection asked for its last socket, on the monotonic clock. */
  readonly openedAtMs: number | undefined;
  /** The runner is over. Called once. */
  readonly onStopped: (reason: StopReason) => void;
  /** Something cannot be undone from here, for example a socket that does not close: the process must end. */
  readonly onBroken: (error: unknown) => void;
}
