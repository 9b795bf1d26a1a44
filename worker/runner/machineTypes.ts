import type { WantedPairing } from '../../shared/connection/connection.ts';
import type { PasskeyAnswer } from '../../shared/connection/passkey.ts';
import type { SocketSymptom } from '../../shared/connection/liveness.ts';
import type { ConnectionStatus, StatusCode } from '../../shared/connection/status.ts';
import type { LinkedAccount, PairingOffer, SocketClose, SocketInput } from '../socket/port/connectionSocket.ts';
import type { CloseCause } from './closeRules.ts';

/** The purpose for which a socket is opened. */
export type Goal =
  | {
      readonly kind: 'login';
      /**
       * `fresh`: the first login after pairing or after a restart that WhatsApp asked for; a 401 then is doubted.
       * `doubted`: that 401 came; this login decides.
       */
      readonly proof: 'usual' | 'fresh' | 'doubted';
    }
  | { readonly kind: 'pairing'; readonly pairing: WantedPairing };

/** The failures since the last stable minute. */
export interface Tries {
  readonly failures: number;
  readonly conflicts: number;
  readonly restarts: number;
}

/**
 * The reason why a machine stopped. After `gave_up` only a request of the tenant makes a new one; after `released` any
 * owner may.
 */
export type StopReason = 'gave_up' | 'released' | 'ownership_lost' | 'unlinked' | 'off';

/**
 * The last socket. `generation` numbers sockets; `openedAtMs` is when the last one was asked for, on the monotonic
 * clock.
 */
interface Opened {
  readonly generation: number;
  readonly openedAtMs: number;
}

/** The state of the runner of one connection. It is internal: tenants see the status. */
export type State =
  /** No account is linked and no pairing is asked for. */
  | { readonly name: 'idle'; readonly generation: number; readonly openedAtMs: number | undefined }
  /** `caughtUp` may come before the socket counts as open. */
  | ({ readonly name: 'connecting'; readonly goal: Goal; readonly caughtUp: boolean; readonly tries: Tries } & Opened)
  /** An offer is out. */
  | ({ readonly name: 'pairing'; readonly pairing: WantedPairing; readonly tries: Tries } & Opened)
  /** `caughtUp`: the offline queue is drained, so messages may be sent. */
  | ({ readonly name: 'online'; readonly sinceMs: number; readonly caughtUp: boolean; readonly tries: Tries } & Opened)
  | ({
      readonly name: 'backing_off';
      readonly goal: Goal;
      readonly tries: Tries;
      readonly cause: CloseCause | 'restart_requested' | 'start_requested';
      /**
       * The time of the wall clock before which nothing is tried, whatever the timer says: it may be set for a part of
       * the way.
       */
      readonly untilMs?: number;
    } & Opened)
  | { readonly name: 'draining'; readonly generation: number }
  | { readonly name: 'stopped'; readonly reason: StopReason };

export type StateName = State['name'];
export type StateOf<Name extends StateName> = Extract<State, { readonly name: Name }>;

/** The inputs of a machine. Inputs of sockets carry the socket's generation; a stale one is dropped. */
export type Input =
  | SocketInput
  /** The connection is wanted online. `code` is the one to show while no account is linked. */
  | { readonly type: 'start'; readonly linked: boolean; readonly code: StatusCode }
  | { readonly type: 'pair_requested'; readonly pairing: WantedPairing }
  /** The tenant has answered the request for a passkey. It may come more than once. */
  | { readonly type: 'passkey_answered'; readonly answer: PasskeyAnswer }
  | { readonly type: 'stop_requested' }
  | { readonly type: 'restart_requested' }
  /** Another client version is to be used: a connection that was refused for the old one may open again. */
  | { readonly type: 'version_changed' }
  | { readonly type: 'unlink_requested' }
  | { readonly type: 'drain_requested' }
  | { readonly type: 'drain_finished' }
  | { readonly type: 'ownership_lost' }
  /** The store shows no newer owner: the socket that closed is judged now. */
  | { readonly type: 'ownership_confirmed'; readonly generation: number; readonly close: SocketClose }
  /**
   * The supervisor finds that the socket is open in name only. It has been so for `forMs`, which earns no forgiveness.
   */
  | { readonly type: 'unwell'; readonly generation: number; readonly symptom: SocketSymptom; readonly forMs: number }
  | { readonly type: 'timer' };

export type InputType = Input['type'];
export type InputOf<Type extends InputType> = Extract<Input, { readonly type: Type }>;

/** The effects that a machine asks for. The runner performs them in order, one at a time. */
export type Effect =
  | { readonly type: 'open_socket'; readonly generation: number; readonly goal: Goal }
  /** Closes the socket; asked for also when it closed by itself, to release the rest of it. */
  | { readonly type: 'close_socket'; readonly generation: number; readonly kind: 'end' | 'logout' }
  /**
   * Logs out at WhatsApp on a socket of its own, if there are credentials to log in with: none is open. A failure is
   * survived.
   */
  | { readonly type: 'log_out' }
  /** Messages may be sent from here on. */
  | { readonly type: 'allow_sending' }
  | { readonly type: 'finish_commands_in_flight' }
  /** Reads the owner; the answer is `ownership_lost` or `ownership_confirmed`. */
  | { readonly type: 'read_ownership'; readonly generation: number; readonly close: SocketClose }
  | { readonly type: 'set_timer'; readonly delayMs: number }
  | { readonly type: 'clear_timer' }
  | { readonly type: 'retire_credentials' }
  | { readonly type: 'record_account'; readonly account: LinkedAccount | undefined }
  /**
   * Spends the request, which was fulfilled, refused, cancelled or not used in time: no later owner may act on it
   * again.
   */
  | { readonly type: 'spend_pairing'; readonly requestId: string }
  | RecordStatus
  | { readonly type: 'show_offer'; readonly offer: PairingOffer }
  | { readonly type: 'remove_offer' }
  /** Gives the answer to the socket, which knows whether it waits for one. */
  | { readonly type: 'answer_passkey'; readonly answer: PasskeyAnswer }
  /** No account is linked any more: messages that wait to be sent fail. */
  | { readonly type: 'fail_messages' }
  | { readonly type: 'runner_stopped'; readonly reason: StopReason };

export interface RecordStatus {
  readonly type: 'record_status';
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
  /** When the next socket is opened, on the wall clock; absent when none is. */
  readonly nextAttemptAtMs?: number;
  /** The number of the close that led to the status. */
  readonly closeCode?: number | undefined;
}

/** The rules of the machine, with times in milliseconds. */
export interface Policy {
  /** The base of all retry delays; 5 s gives the first delays that stand in `closeRules`. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** The least time between two opens of one connection, unless the rule says now. No tenant can shorten it. */
  readonly openSpacingMs: number;
  /** The number of failures in a row after which the published status is `failed`; retries go on. */
  readonly maxAttempts: number;
  /** How long a connection must be open to be forgiven its failures. */
  readonly stableAfterMs: number;
  /** How long a socket may take to open before it is given up. */
  readonly openWithinMs: number;
  /** The age from which on a pairing request is void. */
  readonly pairWithinMs: number;
  /** How long sends in flight may take to finish before the socket closes for a hand-off. */
  readonly drainWithinMs: number;
}

export interface StepContext {
  /** The wall clock, to judge the age of a tenant's request. */
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** A number in [0, 1). */
  readonly jitter: number;
  readonly policy: Policy;
}

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const noTries: Tries = { failures: 0, conflicts: 0, restarts: 0 };
/**
 * The state of a new machine.
 * @param openedAtMs when an earlier runner of this connection asked for its last socket, on the monotonic clock
 */
export function initialState(openedAtMs?: number): StateOf<'idle'> {
  return { name: 'idle', generation: 0, openedAtMs };
}
