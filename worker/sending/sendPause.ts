import type { Clock } from '../../shared/kernel/clock.ts';
import { Breaker, type BreakerRule, type BreakerVerdict, type CallOutcome } from '../../shared/platform/breaker.ts';
import type { SendingSocket, SendOutcome } from '../socket/port/connectionSocket.ts';

/**
 * The rule of the breaker. A connection whose sends get no answer is not helped by more of them, and WhatsApp counts
 * them.
 */
export const sendRule = {
  failures: 5,
  openMs: 60_000,
  successes: 2,
  reason: 'the next login ends it sooner: most silences are the socket, and that is replaced',
} as const satisfies BreakerRule;

export interface SendPauseOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Called when sends pause, with the length of the pause; and again when a try after it got no answer either. */
  readonly onPaused: (durationMs: number) => void;
  /** Called when sends go on, after a pause that `onPaused` reported. */
  readonly onResumed: () => void;
}

/**
 * The circuit breaker of one connection's sends. It is made at the first send without an answer and dropped when all is well:
 * a process holds thousands of connections, and hardly any of them needs one.
 */
export class SendPause {
  readonly #options: SendPauseOptions;
  #breaker: Breaker | undefined;
  #told = false;

  constructor(options: SendPauseOptions) {
    this.#options = options;
  }

  isPaused(): boolean {
    return (this.#breaker?.waitMs() ?? 0) > 0;
  }

  /** The socket, with its sends counted. */
  watch(socket: SendingSocket): SendingSocket {
    return {
      lookUpsFor: socket.lookUpsFor,
      mediaHosts: socket.mediaHosts,
      chatOf: socket.chatOf,
      isFirstContact: socket.isFirstContact,
      send: async (request) => {
        const breaker = this.#breaker;
        if (breaker === undefined) return this.#sendFirst(() => socket.send(request));
        const outcome = await breaker.execute(() => socket.send(request), judge);
        // An answer while the breaker is closed ends the row of failures: nothing is left to remember.
        if (breaker.state === 'closed' && isAnswer(outcome) && this.#breaker === breaker) this.reset();
        return outcome;
      },
    };
  }

  /** Closes the breaker after a new login: the trouble may be over. */
  reset(): void {
    this.#breaker = undefined;
    if (!this.#told) return;
    this.#told = false;
    this.#options.onResumed();
  }

  async #sendFirst(send: () => Promise<SendOutcome>): Promise<SendOutcome> {
    const outcome = await send();
    if (outcome.outcome !== 'unknown') return outcome;
    this.#breaker ??= this.#make();
    return this.#breaker.execute(() => Promise.resolve(outcome), judge);
  }

  #make(): Breaker {
    const breaker: Breaker = new Breaker('sends', sendRule, {
      clock: this.#options.clock,
      onChange: (state) => {
        if (state !== 'open' || this.#breaker !== breaker) return;
        this.#told = true;
        this.#options.onPaused(sendRule.openMs);
      },
    });
    return breaker;
  }
}

/**
 * Whether an outcome is an answer. A refusal is one, too. A look-up without an answer says nothing of sends: it has a
 * pause of its own. Nor does a message that was held back, whose audience is not looked up yet, or whose
 * file is not there.
 */
function isAnswer({ outcome }: SendOutcome): boolean {
  return !notAnswers.has(outcome);
}

const notAnswers: ReadonlySet<SendOutcome['outcome']> = new Set([
  'unknown',
  'look_up_unanswered',
  'first_contact_waits',
  'audience_in_part',
  'file_missing',
]);

function judge(outcome: CallOutcome<SendOutcome>): BreakerVerdict {
  if ('error' in outcome) return 'nothing';
  if (outcome.value.outcome === 'unknown') return 'failed';
  return isAnswer(outcome.value) ? 'answered' : 'nothing';
}
