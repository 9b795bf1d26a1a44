import type { WantedPairing } from '../../shared/connection/connection.ts';
import type { SocketSymptom } from '../../shared/connection/liveness.ts';
import type { ConnectionStatus, StatusCode } from '../../shared/connection/status.ts';
import type { LinkedAccount, PairingOffer, SocketClose, SocketInput } from '../socket/port/connectionSocket.ts';
import type { CloseCause } from './closeRules.ts';

/** What a socket is opened for. */
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

/** What failed since the last stable minute. */
export interface Tries {
  readonly failures: number;
  readonly conflicts: number;
  readonly restarts: number;
}

/** Why a machine stopped. After `gave_up` only a request of the tenant makes a new one; after `released` any owner may. */
export type StopReason = 'gave_up' | 'released' | 'ownership_lost' | 'unlinked' | 'off';

/** `generation` numbers sockets; `openedAtMs` is when the last one was asked for, on the monotonic clock. */
interface Opened {
  readonly generation: number;
  readonly openedAtMs: number;
}

/** What the runner of one connection is doing. Internal: what tenants see is the status. */
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
      /** Wall clock; not before, whatever the timer says: it may be set for a part of the way. */
      readonly untilMs?: number;
    } & Opened)
  | { readonly name: 'draining'; readonly generation: number }
  | { readonly name: 'stopped'; readonly reason: StopReason };

export type StateName = State['name'];
export type StateOf<Name extends StateName> = Extract<State, { readonly name: Name }>;

/** What a machine is told. Inputs of sockets carry the socket's generation; a stale one is dropped. */
export type Input =
  | SocketInput
  /** The connection is wanted online. `code` is what to show while no account is linked. */
  | { readonly type: 'start'; readonly linked: boolean; readonly code: StatusCode }
  | { readonly type: 'pair_requested'; readonly pairing: WantedPairing }
  | { readonly type: 'stop_requested' }
  | { readonly type: 'restart_requested' }
  /** Another client version is to be used: who was refused for the old one may open again. */
  | { readonly type: 'version_changed' }
  | { readonly type: 'unlink_requested' }
  | { readonly type: 'drain_requested' }
  | { readonly type: 'drain_finished' }
  | { readonly type: 'ownership_lost' }
  /** The store shows no newer owner: the socket that closed is judged now. */
  | { readonly type: 'ownership_confirmed'; readonly generation: number; readonly close: SocketClose }
  /** The supervisor finds that the socket is open in name only. It has been for `forMs`, which counts for nothing. */
  | { readonly type: 'unwell'; readonly generation: number; readonly symptom: SocketSymptom; readonly forMs: number }
  | { readonly type: 'timer' };

export type InputType = Input['type'];
export type InputOf<Type extends InputType> = Extract<Input, { readonly type: Type }>;

/** What a machine asks for. The runner does it in order, one at a time. */
export type Effect =
  | { readonly type: 'open_socket'; readonly generation: number; readonly goal: Goal }
  /** Also asked for when the socket closed by itself: releases what is left of it. */
  | { readonly type: 'close_socket'; readonly generation: number; readonly kind: 'end' | 'logout' }
  /** Tells WhatsApp on a socket of its own, if there are credentials to log in with: none is open. A failure is survived. */
  | { readonly type: 'log_out' }
  /** Messages may be sent from here on. */
  | { readonly type: 'allow_sending' }
  | { readonly type: 'finish_commands_in_flight' }
  /** Answered with `ownership_lost` or `ownership_confirmed`. */
  | { readonly type: 'read_ownership'; readonly generation: number; readonly close: SocketClose }
  | { readonly type: 'set_timer'; readonly delayMs: number }
  | { readonly type: 'clear_timer' }
  | { readonly type: 'retire_credentials' }
  | { readonly type: 'record_account'; readonly account: LinkedAccount | undefined }
  /** The request was fulfilled, refused, cancelled or not used in time: no later owner may act on it again. */
  | { readonly type: 'spend_pairing'; readonly requestId: string }
  | RecordStatus
  | { readonly type: 'show_offer'; readonly offer: PairingOffer }
  | { readonly type: 'remove_offer' }
  /** No account is linked any more: what waits to be sent fails. */
  | { readonly type: 'fail_messages' }
  | { readonly type: 'runner_stopped'; readonly reason: StopReason };

export interface RecordStatus {
  readonly type: 'record_status';
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
  /** When the next socket is opened, on the wall clock; absent when none is. */
  readonly nextAttemptAtMs?: number;
  /** The number of the close that led here. */
  readonly closeCode?: number | undefined;
}

/** Settings of the machine, in milliseconds. */
export interface Policy {
  /** Base of all retry delays; 5 s gives the first delays that stand in `closeRules`. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** At least this long between two opens of one connection, unless the rule says now. No tenant can shorten it. */
  readonly openSpacingMs: number;
  /** Failures in a row after which the published status is `failed`; retries go on. */
  readonly maxAttempts: number;
  /** A connection that was open this long is forgiven its failures. */
  readonly stableAfterMs: number;
  /** A socket that is not open by then is given up. */
  readonly openWithinMs: number;
  /** A pairing request older than this is void. */
  readonly pairWithinMs: number;
  /** Sends in flight have this long to finish before the socket closes for a hand-over. */
  readonly drainWithinMs: number;
}

export interface StepContext {
  /** Wall clock, to judge the age of what a tenant asked for. */
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
/** @param openedAtMs when an earlier runner of this connection asked for its last socket, on the monotonic clock */
export function initialState(openedAtMs?: number): StateOf<'idle'> {
  return { name: 'idle', generation: 0, openedAtMs };
}
