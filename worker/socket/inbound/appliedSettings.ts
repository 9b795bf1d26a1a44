import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import { withDefaults, type AppliedSettingValues } from '../../../shared/connection/settings.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { FilterCounts, filterOf } from './filters.ts';
import { ReadReceipts } from './readReceipts.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import { toCallFact } from '../wire/callFact.ts';

/** How long a call rings, in milliseconds. An older one was waiting while the connection was away. */
const RINGS_MS = 60_000;
const REJECT_DEADLINE_MS = 15_000;

export interface AppliedSettingsParts {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'readMessages' | 'rejectCall' | 'sendNode'>;
  /** Resolves when every stanza that has come so far is handled. */
  readonly handled: () => Promise<void>;
  /** Publishes facts. Resolves when they are durable. */
  readonly publish: (facts: readonly Fact[]) => Promise<void>;
  /** Whether somebody is in a group, as far as WhatsApp tells; false where that is not known. */
  readonly isInGroup: (group: string, jid: string) => Promise<boolean>;
}

/**
 * Applies the settings that the tenant chose for this connection to its socket. They are read at each use, so that a
 * change holds from the next stanza on, with no new socket; only presence is announced once, when the socket opens.
 * Nothing is dropped silently.
 */
export class AppliedSettings {
  readonly #options: OpenSocketOptions;
  readonly #parts: AppliedSettingsParts;
  readonly #receipts: ReadReceipts;
  readonly #dropped: FilterCounts;

  constructor(options: OpenSocketOptions, parts: AppliedSettingsParts) {
    this.#options = options;
    this.#parts = parts;
    this.#dropped = new FilterCounts({ ...options, add: options.countFiltered });
    this.#receipts = new ReadReceipts({
      handled: parts.handled,
      read: (keys) => parts.socket.readMessages([...keys]),
      logger: options.logger,
      metrics: options.metrics,
    });
  }

  /**
   * Publishes the facts that are wanted, and marks messages as read after that if the settings say so. Returns the facts that
   * were published. A dropped message is handled like every other, so that its Signal session goes on and WhatsApp gets
   * its receipt.
   */
  async publish<Told extends Fact>(facts: readonly Told[]): Promise<readonly Told[]> {
    const { filters, readReceipts } = this.#settings();
    const wanted = facts.filter((fact) => {
      const filter = filterOf(fact, filters);
      if (filter !== undefined) this.#dropped.count(filter);
      return filter === undefined;
    });
    await this.#parts.publish(wanted);
    if (readReceipts === 'automatic') this.#receipts.add(wanted);
    return wanted;
  }

  /** Publishes a call, and then refuses it if the settings say so. */
  async onCall(stanza: BinaryNode): Promise<undefined> {
    const { clock } = this.#options;
    const isOver = clock.nowMs() - Number(stanza.attrs['t'] ?? 0) * 1_000 > RINGS_MS;
    const told = toCallFact(stanza, this.#settings().calls === 'reject' && !isOver);
    if (told === undefined) return;
    const { group, ...fact } = told;
    const isGroupCall = group !== undefined && (await this.#parts.isInGroup(group, fact.caller));
    await this.#parts.publish([isGroupCall ? { ...fact, group } : fact]);
    // The refusal is not waited for: the answer is a stanza that may come behind others.
    if (fact.rejected) void this.#reject(fact.callId, fact.caller);
  }

  /**
   * Announces presence where Baileys does not: it is silent while the account has no name, which a fresh one has not before
   * the state of the app has told it. Without it WhatsApp decides by itself whether the phone goes on to ring.
   */
  announce(name: string | undefined): void {
    if (name) return;
    const { presence } = this.#settings();
    this.#parts.socket
      .sendNode({ tag: 'presence', attrs: { type: presence } })
      .catch((error: unknown) => this.#options.logger.warn('presence not announced', { error }));
  }

  /** Ends everything because the socket has closed. */
  end(): void {
    this.#receipts.end();
    this.#dropped.end();
  }

  #settings(): AppliedSettingValues {
    return withDefaults(this.#options.settings?.());
  }

  async #reject(callId: string, caller: string): Promise<void> {
    const { logger, metrics } = this.#options;
    try {
      await withDeadline('refusing a call', REJECT_DEADLINE_MS, () => this.#parts.socket.rejectCall(callId, caller));
      metrics.count('CallsRejected', { outcome: 'done' });
    } catch (error) {
      metrics.count('CallsRejected', { outcome: 'failed' });
      logger.warn('call not refused', { error });
    }
  }
}
