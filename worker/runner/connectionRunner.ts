import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { Release, Scope } from '../../shared/kernel/scope.ts';
import type { ConnectionSocket, SocketClose } from '../socket/port/connectionSocket.ts';
import { logOutOffline } from './logOutOffline.ts';
import { step } from './machine.ts';
import { initialState, type Effect, type Input, type State, type StopReason } from './machineTypes.ts';
import type { RunnerDependencies } from './runnerDependencies.ts';
import { RunnerSocket } from './runnerSocket.ts';

interface Letter {
  readonly input: Input;
  /** The timer that fired. A timer that was set again or cleared meanwhile means nothing. */
  readonly timer?: Release;
}

const OWNERSHIP_DEADLINE_MS = 5_000;
const FLUSH_DEADLINE_MS = 5_000;
const RETIRE_TRIES = 5;
const RETIRE_PAUSE_MS = 1_000;

/** Inputs for which a wait for a turn to open is given up. */
const URGENT: ReadonlySet<Input['type']> = new Set([
  'stop_requested',
  'unlink_requested',
  'drain_requested',
  'ownership_lost',
  'pair_requested',
]);

/**
 * Runs one connection: takes inputs from its mailbox, asks the machine, and performs the effects in order, one at a time.
 * Nothing else opens or closes its sockets. An effect that fails becomes an input, or ends the process visibly.
 */
export class ConnectionRunner {
  readonly #dependencies: RunnerDependencies;
  readonly #mailbox: Letter[] = [];
  readonly #stopped = Promise.withResolvers<StopReason>();
  #state: State;
  readonly #socket: RunnerSocket;
  #timer: Release | undefined;
  #over = false;
  #pumping = false;
  #busySinceMs: number | undefined;

  constructor(dependencies: RunnerDependencies) {
    this.#dependencies = dependencies;
    this.#state = initialState(dependencies.openedAtMs);
    this.#socket = new RunnerSocket({
      ...dependencies,
      deliver: (input) => this.deliver(input),
      waitEnded: () => {
        this.#busySinceMs = dependencies.clock.monotonicMs();
      },
    });
    dependencies.scope.hold('other', () => this.#abandon());
  }

  /** The time at which the last socket of this connection was asked for, on the monotonic clock. */
  get openedAtMs(): number | undefined {
    return this.#socket.openedAtMs;
  }

  get state(): State {
    return this.#state;
  }

  /** The socket that is to live, usable or not; undefined when there is none, or when it is about to close anyway. */
  get livingSocket(): ConnectionSocket | undefined {
    return this.#state.name === 'draining' ? undefined : this.#socket.current;
  }

  /**
   * Since when the runner is at the present input, on the monotonic clock; undefined while it waits for its turn to
   * open.
   */
  get busySinceMs(): number | undefined {
    return this.#socket.isWaiting ? undefined : this.#busySinceMs;
  }

  /** Resolves when the runner has ended. */
  get stopped(): Promise<StopReason> {
    return this.#stopped.promise;
  }

  /** The socket on which messages may be sent now, if there is one. */
  usableSocket(): ConnectionSocket | undefined {
    return this.#state.name === 'online' && this.#state.caughtUp ? this.#socket.current : undefined;
  }

  /** Puts an input into the mailbox. Never throws, never waits. */
  deliver(input: Input): void {
    // This counts at once, before the inputs in the mailbox: nothing that is on its way to the store may be written any
    // more.
    if (input.type === 'ownership_lost') this.#dependencies.sockets.abandon();
    this.#put({ input });
  }

  #put(letter: Letter): void {
    if (this.#over) return;
    const { type } = letter.input;
    if (URGENT.has(type)) this.#socket.giveUpWait();
    this.#mailbox.push(letter);
    if (!this.#pumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let letter = this.#mailbox.shift(); letter !== undefined; letter = this.#mailbox.shift()) {
      if (letter.timer !== undefined && letter.timer !== this.#timer) continue;
      this.#busySinceMs = this.#dependencies.clock.monotonicMs();
      try {
        await this.#take(letter.input);
      } catch (error) {
        this.#dependencies.logger.error('connection runner broke', { input: letter.input.type, error });
        this.#dependencies.onBroken(error);
      }
    }
    this.#busySinceMs = undefined;
    this.#pumping = false;
  }

  async #take(input: Input): Promise<void> {
    const { clock, random, policy } = this.#dependencies;
    const before = this.#state;
    const { state, effects } = step(before, input, {
      nowMs: clock.nowMs(),
      monotonicMs: clock.monotonicMs(),
      jitter: random.unit(),
      policy: policy(),
    });
    this.#state = state;
    const current = 'generation' in input && 'generation' in before && input.generation === before.generation;
    if (current && HANDSHAKE_OVER.has(input.type)) this.#socket.giveTurnBack();
    this.#log(before, input, state);
    for (const effect of effects) await this.#perform(effect);
  }

  #log(before: State, input: Input, after: State): void {
    const generation = 'generation' in after ? after.generation : undefined;
    const sameSocket = generation === ('generation' in before ? before.generation : undefined);
    if (before.name === after.name && sameSocket) return;
    this.#dependencies.logger.info('connection changed state', {
      from: before.name,
      input: input.type,
      to: after.name,
      generation,
      ...(after.name === 'backing_off' ? { cause: after.cause } : {}),
      ...(after.name === 'stopped' ? { reason: after.reason } : {}),
      ...(input.type === 'socket_closed' ? { code: input.close.statusCode } : {}),
    });
  }

  async #perform(effect: Effect): Promise<void> {
    const { recorder, sending } = this.#dependencies;
    switch (effect.type) {
      case 'open_socket':
        return this.#socket.open(effect.generation, effect.goal, this.#isHurried());
      case 'close_socket':
        return this.#socket.close(effect.kind);
      case 'read_ownership':
        return this.#readOwnership(effect.generation, effect.close);
      case 'set_timer':
        return this.#setTimer(effect.delayMs);
      case 'clear_timer':
        return this.#clearTimer();
      case 'log_out':
        return this.#logOut();
      case 'allow_sending':
        return sending.allow();
      case 'finish_commands_in_flight':
        return this.#finishSending();
      case 'retire_credentials':
        return this.#retire();
      case 'record_account':
        return recorder.account(effect.account);
      case 'spend_pairing':
        return recorder.pairingSpent(effect.requestId);
      case 'record_status':
        return recorder.status(effect);
      case 'show_offer':
        return recorder.offer(effect.offer);
      case 'remove_offer':
        return recorder.offer(undefined);
      case 'answer_passkey':
        return this.#socket.current?.answerPasskey(effect.answer);
      case 'fail_messages':
        return this.#failMessages();
      case 'runner_stopped':
        return this.#stop(effect.reason);
    }
  }

  /** Whether an urgent input waits. One that came during the effects before this one counts too. */
  #isHurried(): boolean {
    return this.#mailbox.some(({ input }) => URGENT.has(input.type));
  }

  async #logOut(): Promise<void> {
    if ((await logOutOffline(this.#dependencies)) === 'lost') this.deliver({ type: 'ownership_lost' });
  }

  /**
   * Reads the owner. If the store does not answer, the next socket finds out: it cannot open where a newer owner has.
   */
  async #readOwnership(generation: number, close: SocketClose): Promise<void> {
    const { readOwnership, clock, logger } = this.#dependencies;
    const owner = await withDeadline('reading the owner', OWNERSHIP_DEADLINE_MS, readOwnership, clock).catch(
      (error: unknown) => {
        logger.warn('owner could not be read after a conflict', { generation, error });
        return 'owned' as const;
      },
    );
    if (owner === 'lost') this.deliver({ type: 'ownership_lost' });
    else this.deliver({ type: 'ownership_confirmed', generation, close });
  }

  #setTimer(delayMs: number): void {
    this.#clearTimer();
    const timer: Release = this.#dependencies.scope.timeout(delayMs, () => {
      this.#put({ input: { type: 'timer' }, timer });
    });
    this.#timer = timer;
  }

  #clearTimer(): void {
    void this.#timer?.();
    this.#timer = undefined;
  }

  #finishSending(): void {
    const { sending, logger } = this.#dependencies;
    void sending
      .finish()
      .catch((error: unknown) => logger.error('sends in flight did not finish', { error }))
      .then(() => this.deliver({ type: 'drain_finished' }));
  }

  /**
   * Retires credentials in a few tries. If all fail the next pairing retires first, and a login would be refused again.
   */
  async #retire(): Promise<void> {
    const { sockets, recorder, clock, logger } = this.#dependencies;
    // While the credentials stand, a later owner logs in with them in place of pairing again: the spending of the
    // request comes first.
    await recorder.flush(FLUSH_DEADLINE_MS);
    for (let attempt = 1; attempt <= RETIRE_TRIES; attempt += 1) {
      try {
        if ((await sockets.retire()) === 'lost') this.deliver({ type: 'ownership_lost' });
        return;
      } catch (error) {
        const last = attempt === RETIRE_TRIES;
        logger[last ? 'error' : 'warn']('credentials could not be retired', { attempt, error });
        if (!last) await clock.sleep(RETIRE_PAUSE_MS, this.#dependencies.scope.signal);
      }
    }
  }

  /** Fails messages after the account is gone from the record, so that no newer message is parked behind them. */
  async #failMessages(): Promise<void> {
    const { recorder, sending, logger } = this.#dependencies;
    await recorder.flush(FLUSH_DEADLINE_MS);
    void sending
      .failAll()
      .catch((error: unknown) => logger.error('messages of an unlinked connection could not be failed', { error }));
  }

  async #stop(reason: StopReason): Promise<void> {
    const { recorder, onStopped } = this.#dependencies;
    this.#socket.giveTurnBack();
    if (reason !== 'ownership_lost') await recorder.flush(FLUSH_DEADLINE_MS);
    recorder.abandon();
    this.#over = true;
    this.#release(this.#dependencies.scope);
    this.#stopped.resolve(reason);
    onStopped(reason);
  }

  /** Ends the runner whose scope was closed: as if another worker owned the connection, and at once. */
  #abandon(): void {
    if (this.#over) return;
    const { sockets, recorder, onStopped } = this.#dependencies;
    this.#over = true;
    this.#mailbox.length = 0;
    this.#socket.giveUpWait();
    this.#socket.giveTurnBack();
    sockets.abandon();
    recorder.abandon();
    this.#stopped.resolve('ownership_lost');
    onStopped('ownership_lost');
  }

  #release(scope: Scope): void {
    scope.close().catch((error: unknown) => {
      this.#dependencies.logger.error('resources were not released', { operation: scope.name, error });
    });
  }
}

/** Inputs that end a handshake. A pairing waits for a person: its handshake is over when the offer is out. */
const HANDSHAKE_OVER: ReadonlySet<Input['type']> = new Set(['socket_opened', 'socket_closed', 'pairing_offered']);
