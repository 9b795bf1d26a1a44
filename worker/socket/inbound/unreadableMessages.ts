import { AsyncLocalStorage } from 'node:async_hooks';
import type { BinaryNode, CacheStore, makeWASocket } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import { Budgets } from '../port/budgets.ts';
import { FairRoom } from '../port/fairRoom.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import { stanzaHead } from '../wire/stanzaHead.ts';

/**
 * The number of requests to repeat that one sender can make us send. A contact whose session broke may have written
 * much while the connection was away, and every one of those messages is asked for; a sender of noise can do no more
 * than this. A request after the first brings a one-time key with it, which is stored, and so costs more.
 */
const BUDGET = { burst: 50, perSecond: 1 } as const;
const COST_WITH_KEYS = 10;
/**
 * The number of messages that may wait to be asked for, of one sender and of all; without content, so that each is less
 * than a kilobyte.
 */
const MOST_WAITING = { ofOne: 1_000, ofAll: 5_000 } as const;
/** Baileys' answer about a message that it cannot use (`NACK_REASONS.UnhandledError`). */
const UNUSABLE = 500;

export interface UnreadableMessagesParts {
  readonly socket: () => Pick<ReturnType<typeof makeWASocket>, 'sendRetryRequest' | 'sendMessageAck'>;
  /** The number of requests for each message, as Baileys counts them. */
  readonly counters: CacheStore;
  /** The number of requests for one message after which none is sent any more. */
  readonly mostRequests: number;
  /** Whether the caller is the handling of a request that others sent us, which is counted in the same cache. */
  readonly isAnswering: () => boolean;
}

type Options = Pick<OpenSocketOptions, 'clock' | 'metrics' | 'logger'> & { readonly signal: AbortSignal };

/**
 * Handles messages that could not be decrypted. Baileys asks their sender for them while it handles the stanza, and
 * sleeps for seconds after each, with everything that came later waiting behind it. Here the stanza is taken from
 * Baileys when it is about to ask, so that the next one can be handled at once; the request leaves outside the turn, as
 * the budget of its sender allows. Only when it has left is the stanza acknowledged. A stanza that still waits when the
 * socket closes comes again at the next login. One that there is no room for is acknowledged without a request and
 * counted: otherwise WhatsApp would bring it again, for ever.
 *
 * Baileys has no hook for this. It counts requests in a cache that is ours, and reads its count before it sends one;
 * that read is where the stanza is taken. After it Baileys would acknowledge the stanza: it is made unusable first, so
 * that Baileys ends its handling there. A test fails when another version does these things in another order.
 */
export class UnreadableMessages {
  readonly #options: Options;
  readonly #parts: UnreadableMessagesParts;
  readonly #budgets: Budgets;
  readonly #asking = new AsyncLocalStorage<true>();
  /** The waiting stanzas by sender, without their content. */
  readonly #waiting = new FairRoom<BinaryNode>(MOST_WAITING);
  /** Senders whose messages are being asked for. */
  readonly #asked = new Set<string>();
  #inHand: BinaryNode | undefined;

  constructor(options: Options, parts: UnreadableMessagesParts) {
    this.#options = options;
    this.#parts = parts;
    this.#budgets = new Budgets(BUDGET, options.clock.monotonicMs);
  }

  /** Notes the message that Baileys is about to handle. */
  inHand(message: BinaryNode): void {
    this.#inHand = message;
  }

  /** The cache of counters for Baileys, which shows when Baileys is about to ask for a message. */
  get counters(): CacheStore {
    const { counters } = this.#parts;
    return {
      get: (key) => {
        const isElsewhere = this.#asking.getStore() !== undefined || this.#parts.isAnswering();
        if (this.#inHand !== undefined && !isElsewhere) {
          this.#takeOver(this.#inHand);
          throw new Error('this message is asked for outside its turn');
        }
        return counters.get(key);
      },
      set: (key, value) => counters.set(key, value),
      // Baileys forgets its count when it is used up, and would begin anew.
      del: () => undefined,
      flushAll: () => undefined,
    };
  }

  #takeOver(stanza: BinaryNode): void {
    const whole: BinaryNode = { tag: stanza.tag, attrs: { ...stanza.attrs } };
    const copy = stanzaHead(stanza);
    this.#inHand = undefined;
    Object.defineProperty(stanza, 'attrs', {
      get: () => {
        throw new Error('this message is acknowledged outside its turn');
      },
    });
    const sender = withoutDevice(whole.attrs['participant'] ?? whole.attrs['from'] ?? '');
    if (copy === undefined) {
      this.#detach(this.#giveUp(whole));
      return;
    }
    const displaced = this.#waiting.enter(sender, copy);
    if (displaced !== undefined) this.#detach(this.#giveUp(displaced === copy ? whole : displaced));
    if (displaced === copy || this.#asked.has(sender)) return;
    this.#detach(this.#askAll(sender));
  }

  /** Asks for all waiting messages of one sender, as its budget allows; a failure leaves the rest to the next login. */
  async #askAll(sender: string): Promise<void> {
    const { clock, signal } = this.#options;
    this.#asked.add(sender);
    try {
      for (let stanza = this.#waiting.first(sender); stanza !== undefined; stanza = this.#waiting.first(sender)) {
        const asked = Number((await this.#parts.counters.get(counterOf(stanza))) ?? 0);
        const cost = asked === 0 ? 1 : COST_WITH_KEYS;
        for (;;) {
          if (signal.aborted) return;
          if (this.#budgets.take(sender, cost)) break;
          await clock.sleep(this.#budgets.waitMs(sender, cost), signal);
        }
        await (asked >= this.#parts.mostRequests ? this.#giveUp(stanza) : this.#ask(stanza));
        this.#waiting.leave(sender, stanza);
      }
    } finally {
      this.#asked.delete(sender);
      this.#waiting.leaveAll(sender);
    }
  }

  async #ask(stanza: BinaryNode): Promise<void> {
    await withDeadline('asking for a message again', deadlines.send.ms, () =>
      this.#asking.run(true, () => this.#parts.socket().sendRetryRequest(stanza)),
    );
    await this.#acknowledge(stanza);
    this.#options.metrics.count('UnreadableMessages', { outcome: 'asked' });
  }

  async #giveUp(stanza: BinaryNode): Promise<void> {
    await this.#acknowledge(stanza);
    this.#options.metrics.count('UnreadableMessages', { outcome: 'given_up' });
  }

  #acknowledge(stanza: BinaryNode): Promise<void> {
    return withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () =>
      this.#parts.socket().sendMessageAck(stanza, UNUSABLE),
    );
  }

  /** Lets work go on without a wait for it. A socket that closes meanwhile is no trouble: the message comes again. */
  #detach(work: Promise<void>): void {
    const { logger, signal } = this.#options;
    work.catch((error: unknown) => {
      if (!signal.aborted) logger.warn('unreadable message not asked for', { error });
    });
  }
}

/** The name under which Baileys counts the requests for a message. */
function counterOf({ attrs }: BinaryNode): string {
  return `${attrs['id']}:${attrs['participant']}`;
}
