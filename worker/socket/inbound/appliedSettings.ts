import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import { withDefaults, type AppliedSettingValues } from '../../../shared/connection/settings.ts';
import { callStatusKey, type CallStatusFact } from '../../../shared/event/facts/callStatusFact.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { withFilePolicy } from './filePolicy.ts';
import { FilterCounts, filterOf } from './filters.ts';
import { ReadReceipts } from './readReceipts.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import type { KnownCall, RingingCalls } from '../people/ringingCalls.ts';
import { toCallFact, toCallStatusFact } from '../wire/callFact.ts';
import type { Me } from '../wire/envelope.ts';

/** How long a call rings, in milliseconds. An older one was waiting while the connection was away. */
const RINGS_MS = 60_000;
const REJECT_DEADLINE_MS = 15_000;

export interface AppliedSettingsParts {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'readMessages' | 'rejectCall'>;
  /** Resolves when every stanza that has come so far is handled. */
  readonly handled: () => Promise<void>;
  /** Publishes facts. Resolves when they are durable. */
  readonly publish: (facts: readonly Fact[]) => Promise<void>;
  readonly calls: RingingCalls;
  readonly me: () => Me;
  /** Whether somebody is in a group, as far as WhatsApp tells; false where that is not known. */
  readonly isInGroup: (group: string, jid: string) => Promise<boolean>;
}

/**
 * Applies the settings that the tenant chose for this connection to its socket. They are read at each use, so that a
 * change holds from the next stanza on, with no new socket.
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
    const { filters, media, readReceipts } = this.#settings();
    const wanted = facts.filter((fact) => {
      const filter = filterOf(fact, filters);
      if (filter !== undefined) this.#dropped.count(filter);
      return filter === undefined;
    });
    await this.#parts.publish(wanted.map((fact) => withFilePolicy(fact, media)));
    if (readReceipts === 'automatic') this.#receipts.add(wanted);
    return wanted;
  }

  /** Publishes a call, and then refuses it if the settings say so; or publishes what has become of one. */
  async onCall(stanza: BinaryNode): Promise<undefined> {
    const { clock } = this.#options;
    const { calls, publish, isInGroup, me } = this.#parts;
    const isOver = clock.nowMs() - Number(stanza.attrs['t'] ?? 0) * 1_000 > RINGS_MS;
    const told = toCallFact(stanza, this.#settings().calls === 'reject' && !isOver);
    if (told === undefined) {
      const ended = toCallStatusFact(stanza, me());
      if (ended !== undefined) await publish([withKnown(ended, calls.find(ended))]);
      return;
    }
    const { group, ...rest } = told;
    const isKnownGroup = group !== undefined && (await isInGroup(group, rest.caller));
    const fact = isKnownGroup ? { ...rest, group } : rest;
    calls.note(fact);
    await publish([fact]);
    // The refusal is not waited for: the answer is a stanza that may come behind others.
    if (fact.rejected) this.reject(fact).catch(() => undefined);
  }

  /** Refuses a call, and publishes that it is refused. Rejects where WhatsApp does not take it. */
  async reject(call: Pick<KnownCall, 'callId' | 'caller'>): Promise<void> {
    const { logger, metrics, clock } = this.#options;
    const { socket, publish, calls } = this.#parts;
    const { callId, caller } = call;
    try {
      await withDeadline('refusing a call', REJECT_DEADLINE_MS, () => socket.rejectCall(callId, caller));
      metrics.count('CallsRejected', { outcome: 'done' });
    } catch (error) {
      metrics.count('CallsRejected', { outcome: 'failed' });
      logger.warn('call not refused', { error });
      throw error;
    }
    const key = callStatusKey(callId, caller, 'rejected');
    const fact = { kind: 'call_status', key, atMs: clock.nowMs(), callId, caller, state: 'rejected' } as const;
    // It is refused, whether or not that can be told.
    await publish([withKnown(fact, calls.find(call))]).catch((error: unknown) =>
      logger.warn('refusal of a call not published', { error }),
    );
  }

  /** Ends everything because the socket has closed. */
  end(): void {
    this.#receipts.end();
    this.#dropped.end();
  }

  #settings(): AppliedSettingValues {
    return withDefaults(this.#options.settings?.());
  }
}

/** What the call itself said, which later stanzas about it leave out. */
function withKnown(fact: CallStatusFact, known: KnownCall | undefined): CallStatusFact {
  if (known === undefined) return fact;
  const { callerAlias, group, video } = known;
  return {
    ...fact,
    video,
    ...(callerAlias === undefined ? {} : { callerAlias }),
    ...(group === undefined ? {} : { group }),
  };
}
