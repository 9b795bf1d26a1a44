import type { makeWASocket } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { Session } from '../session/session.ts';

/** As many as the addresses that a socket remembers. Who is forgotten is asked for once more. */
const MOST_KNOWN = 2_000;
/** Accounts are given up; so long one is believed to be there. A socket may live for weeks. */
const KNOWN_FOR_MS = 7 * 24 * 60 * 60 * 1_000;

/** Who is on WhatsApp. Asked once per recipient: a first message to nobody can restrict the account. */
export class Recipients {
  readonly #session: Pick<Session, 'getKeys'>;
  readonly #socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>;
  readonly #queryTimeoutMs: number;
  readonly #monotonicMs: () => number;
  /** Made with the first of them: most connections are idle, and an empty cache takes kilobytes. */
  #known: LRUCache<string, true> | undefined;

  /** @param times.queryTimeoutMs how long Baileys waits for an answer */
  constructor(
    session: Pick<Session, 'getKeys'>,
    socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>,
    times: { readonly queryTimeoutMs: number; readonly monotonicMs: () => number },
  ) {
    this.#session = session;
    this.#socket = socket;
    this.#queryTimeoutMs = times.queryTimeoutMs;
    this.#monotonicMs = times.monotonicMs;
  }

  /** Whether a number has an account; groups and LIDs are taken to exist. Throws when WhatsApp does not answer. */
  async hasAccount(to: string): Promise<boolean> {
    if (!to.endsWith('@s.whatsapp.net') || this.#known?.has(to) === true) return true;
    const user = to.split('@')[0] ?? '';
    const mapping = await this.#session.getKeys('lid-mapping', [user]);
    if (mapping[user] === undefined) {
      const answers = await withDeadline('asking who has an account', deadlines.send.ms, () =>
        this.#socket.onWhatsApp(to),
      );
      // Baileys says nothing when its query was not answered in time; "no account" would end the message for good.
      if (answers === undefined) throw new TimeoutError('asking who is on WhatsApp', this.#queryTimeoutMs);
      if (answers[0]?.exists !== true) return false;
    }
    this.#known ??= new LRUCache({
      // Counted by size and not by number: a number would reserve room for all of them at once.
      maxSize: MOST_KNOWN,
      sizeCalculation: () => 1,
      ttl: KNOWN_FOR_MS,
      perf: { now: this.#monotonicMs },
      // Otherwise it remembers the time for a moment, with a timer.
      ttlResolution: 0,
    });
    this.#known.set(to, true);
    return true;
  }
}
