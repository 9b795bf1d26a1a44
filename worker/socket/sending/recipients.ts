import type { makeWASocket } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isPerson, withoutDevice } from '../../../shared/kernel/jid.ts';
import type { Session } from '../../session/session.ts';
import { findOtherNames } from '../people/contactNames.ts';
import type { Me } from '../wire/envelope.ts';
import { asLookUp } from '../port/lookUpError.ts';

/**
 * The number of recipients that are remembered, as many as the addresses of a socket. A forgotten one is asked for once
 * more.
 */
const MOST_KNOWN = 2_000;
/**
 * How long an account is believed to exist, in milliseconds. Accounts are given up, and a socket may live for weeks.
 */
const KNOWN_FOR_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * Finds whether a recipient is on WhatsApp, and under which address. Each number is asked for once: a first message to
 * nobody can restrict the account. The message goes to the address in WhatsApp's answer: a number can be written in two
 * ways of which one alone is the account.
 */
export class Recipients {
  readonly #session: Pick<Session, 'getKeys'>;
  readonly #socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>;
  readonly #queryTimeoutMs: number;
  readonly #monotonicMs: () => number;
  /**
   * The accounts of numbers. Made with the first of them, as most connections are idle, and an empty cache takes
   * kilobytes.
   */
  #known: LRUCache<string, string> | undefined;

  /**
   * The recipients of one socket.
   * @param times.queryTimeoutMs how long Baileys waits for an answer
   */
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

  /**
   * The address to send to, or undefined if the number has no account. Groups and LIDs are taken to exist. Throws a
   * `LookUpError` when WhatsApp refuses, or does not answer.
   */
  async resolve(to: string): Promise<string | undefined> {
    const known = await this.knownAddressOf(to);
    if (known !== undefined) return known;
    const answers = await asLookUp('account', () =>
      withDeadline('asking who has an account', deadlines.send.ms, async () => {
        const found = await this.#socket.onWhatsApp(to);
        // Baileys returns nothing when its query was not answered in time; "no account" would end the message for good.
        if (found === undefined) throw new TimeoutError('asking who is on WhatsApp', this.#queryTimeoutMs);
        return found;
      }),
    );
    const found = answers.find(({ exists }) => exists);
    if (found === undefined) return undefined;
    const named = withoutDevice(found.jid);
    return this.#remember(to, isPerson(named) ? named : to);
  }

  /** The address to send to, as far as it is known without a question to WhatsApp. */
  async knownAddressOf(to: string): Promise<string | undefined> {
    if (!to.endsWith('@s.whatsapp.net')) return to;
    const known = this.#known?.get(to);
    if (known !== undefined) return known;
    const user = to.split('@')[0] ?? '';
    const mapping = await this.#session.getKeys('lid-mapping', [user]);
    return mapping[user] === undefined ? undefined : this.#remember(to, to);
  }

  /** Notes the account of a number, which WhatsApp has named in an answer to another question. */
  learn(to: string, account: string): void {
    this.#remember(to, account);
  }

  /** One name for all addresses of a person that are known: the LID, if that is. */
  async chatOf(to: string, me: Me): Promise<string> {
    if (!isPerson(to)) return to;
    const address = this.#known?.get(to) ?? to;
    return address.endsWith('@lid') ? address : ((await this.otherNameOf(address, me)) ?? address);
  }

  /** The LID of a number, or the number of a LID, where it is known. */
  async otherNameOf(address: string, me: Me): Promise<string | undefined> {
    return isPerson(address) ? (await findOtherNames(this.#session, [address], me)).get(address) : undefined;
  }

  #remember(to: string, address: string): string {
    this.#known ??= new LRUCache({
      // The cache counts by size and not by number: a number would reserve room for all entries at once.
      maxSize: MOST_KNOWN,
      sizeCalculation: () => 1,
      ttl: KNOWN_FOR_MS,
      perf: { now: this.#monotonicMs },
      // Otherwise the cache remembers the time for a moment, with a timer.
      ttlResolution: 0,
    });
    this.#known.set(to, address);
    return address;
  }
}
