import { Mutex } from 'async-mutex';
import {
  afterLimit,
  afterRefusal,
  brakingRefusals,
  type AccountLimit,
  type BrakeCause,
  type Brakes,
} from '../../shared/connection/brakes.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { withFirstContact } from '../../shared/connection/firstContacts.ts';
import {
  allWait,
  firstContactLimit,
  firstContactWait,
  newPace,
  shownPace,
  toTell,
  type Pace,
} from '../../shared/connection/pace.ts';
import type { ToldPace } from '../../shared/connection/toldPace.ts';
import { paceKey, type PaceFact } from '../../shared/event/facts/paceFact.ts';
import { withDefaults, type AppliedSettingValues, type ConnectionSettings } from '../../shared/connection/settings.ts';
import { waitUntil, type StopSignal } from '../../shared/kernel/clock.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { ConnectionConfig } from '../../shared/platform/connectionConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FactPublisher } from '../facts/factPublisher.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import { SendBudgets } from './sendBudgets.ts';

export interface GovernorDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger' | 'metrics'> {
  readonly owned: OwnedConnection;
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly publisher: FactPublisher;
  /** Stores the pace on the record of the connection; `lost` where a newer owner has written. */
  readonly record: (pace: Pace) => Promise<'recorded' | 'lost'>;
  /** The tenant's settings as they are now. */
  readonly settings: () => ConnectionSettings;
  readonly config: Pick<ConnectionConfig, 'paceBudgets' | 'messagesPerMinute' | 'messagesPerChatPerMinute'>;
  /** Throws when this worker may not act at the moment. Called before each write. */
  readonly assertOpen: () => void;
}

/** The number of messages to new people that are remembered as counted: more than one connection tries at once. */
const MOST_COUNTED = 64;

/**
 * Decides for one connection how fast it sends and whether it may write to new people (docs/pacing.md). What outlives this
 * owner is on the connection's record, and written before it counts: a first contact is counted before it leaves, and a brake
 * is on the record before its refusal is told. So a process that dies in between has counted one too many, or sends the
 * refused message once more under its id, and never a further one. A store that does not answer lets no first contact leave.
 * What the tenant is told of waiting is on the record, too, from before it is told until it is: the next owner goes on there.
 */
export class Governor {
  readonly #dependencies: GovernorDependencies;
  readonly #budgets: SendBudgets;
  /** The line of those who wait for their turn by the budget of the connection: a backlog must not always be the faster one. */
  readonly #line = new Mutex();
  #pace: Pace | undefined;
  #loading: Promise<void> | undefined;
  /** Writes of the record, one at a time: each has all that the earlier ones had. */
  #writing: Promise<unknown> = Promise.resolve();
  #counted: readonly string[] = [];
  /** What the record says that was told. */
  #noted: ToldPace | undefined;
  #telling: Promise<void> | undefined;
  #applied: { readonly of: ConnectionSettings; readonly values: AppliedSettingValues['pace'] } | undefined;

  constructor(dependencies: GovernorDependencies) {
    this.#dependencies = dependencies;
    this.#budgets = new SendBudgets(dependencies.clock);
  }

  /** Reads the record once after each login. Rejects when the store does not answer: then nothing may be sent. */
  load(): Promise<void> {
    this.#loading ??= this.#read().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Looks at the record anew from now on: another account may be linked. */
  reload(): void {
    this.#loading = undefined;
  }

  /** How long all messages wait, because WhatsApp says that the account writes too fast, in milliseconds; 0 when they need not. */
  get allWaitMs(): number {
    if (this.#pace === undefined) return 0;
    const nowMs = this.#dependencies.clock.nowMs();
    return (allWait(this.#pace, nowMs)?.untilMs ?? nowMs) - nowMs;
  }

  /** Whether the address of a message decides whether it may leave now. */
  get isWatching(): boolean {
    return this.#budgets.isAnyChatSpent || this.firstContactWaitMs() > 0;
  }

  /** How long messages to new people wait, in milliseconds; 0 when they need not. */
  firstContactWaitMs(): number {
    if (this.#pace === undefined) return 0;
    const nowMs = this.#dependencies.clock.nowMs();
    const wait = firstContactWait(this.#pace, this.#chosen(), nowMs);
    return wait === undefined ? this.#budgets.firstContactWaitMs(this.#limit(this.#pace)) : wait.untilMs - nowMs;
  }

  /** How long messages to a chat wait because it has had many, in milliseconds; 0 when they need not. */
  chatWaitMs(chat: string): number {
    return this.#budgets.chatWaitMs(chat, this.#rates()?.messagesPerChatPerMinute);
  }

  /** How long the next message waits because the connection has sent many, in milliseconds; 0 when it need not. */
  get waitMs(): number {
    return this.#budgets.waitMs(this.#rates()?.messagesPerMinute);
  }

  /** Counts one more message of the connection if it may leave now. */
  tryTake(): boolean {
    return this.#budgets.take(this.#rates()?.messagesPerMinute);
  }

  /** Waits until the connection may send one more message, and counts it; or until the signal aborts. Who came first goes first. */
  take(signal: StopSignal): Promise<void> {
    const { clock } = this.#dependencies;
    return this.#line.runExclusive(async () => {
      while (!signal.aborted && !this.tryTake()) {
        await waitUntil(clock, clock.monotonicMs() + this.waitMs, signal);
      }
    });
  }

  /** Counts a message for its chat. */
  sentTo(chat: string): void {
    this.#budgets.takeOfChat(chat, this.#rates()?.messagesPerChatPerMinute);
  }

  /**
   * Counts a message to a new person, if it may leave. A message that is tried again counts once.
   * @param stanzaId names it
   */
  async admit(stanzaId: string): Promise<'go' | 'wait'> {
    const { clock, metrics, logger } = this.#dependencies;
    const pace = this.#pace;
    const nowMs = clock.nowMs();
    const isCounted = this.#counted.includes(stanzaId);
    // The count of this very message may have used the budget up; a brake holds it all the same.
    const braked = pace === undefined || firstContactWait({ ...pace, hours: {} }, this.#chosen(), nowMs) !== undefined;
    if (!braked && isCounted) return 'go';
    if (braked || this.firstContactWaitMs() > 0) return 'wait';
    const limit = this.#limit(pace);
    this.#budgets.takeFirstContact(limit);
    try {
      const next = { ...pace, hours: withFirstContact(pace.hours, nowMs) };
      // Without a budget nobody counts, and nothing is written.
      if (limit !== undefined && (await this.#record(next)) === 'lost') return 'wait';
    } catch (error) {
      logger.warn('a first contact could not be counted', { error });
      return 'wait';
    }
    void this.tell();
    this.#counted = [...this.#counted, stanzaId].slice(-MOST_COUNTED);
    metrics.count('FirstContacts', {});
    return 'go';
  }

  /**
   * Tells the tenant where messages begin to wait, wait for another reason, or wait no more. Never rejects, and nobody need
   * wait: what could not be told is told at the next look.
   */
  tell(): Promise<void> {
    this.#telling ??= this.#tellAll()
      .catch((error: unknown) => this.#dependencies.logger.warn('a change of the pace could not be told', { error }))
      .finally(() => {
        this.#telling = undefined;
      });
    return this.#telling;
  }

  /** Resolves when nothing is being told. */
  get telling(): Promise<void> {
    return this.#telling ?? Promise.resolve();
  }

  /** Puts a brake on where a refusal means one. Resolves when it is stored; rejects when the store does not answer. */
  async refused(whatsappCode: number): Promise<void> {
    const cause = brakingRefusals[whatsappCode];
    if (cause !== undefined) await this.#brake(cause, (brakes, nowMs) => afterRefusal(brakes, cause, nowMs));
  }

  /** Puts a brake on or takes it off, as WhatsApp says. Rejects when the store does not answer; memory has it all the same. */
  async heard(told: AccountLimit): Promise<void> {
    await this.load();
    const cause = told.limit === 'time_lock' ? 'time_locked' : 'capped';
    await this.#brake(cause, (brakes, nowMs) => afterLimit(brakes, told, nowMs));
  }

  async #brake(cause: BrakeCause, decide: (brakes: Brakes, nowMs: number) => Brakes): Promise<void> {
    const { clock, logger, metrics } = this.#dependencies;
    const pace = this.#pace;
    if (pace === undefined) return;
    const nowMs = clock.nowMs();
    const brakes = decide(pace.brakes, nowMs);
    if (brakes === pace.brakes) return;
    const next = { ...pace, brakes };
    const wait = allWait(next, nowMs) ?? firstContactWait({ ...next, hours: {} }, this.#chosen(), nowMs);
    if (wait === undefined) logger.info('a brake on sends is off', { operation: cause });
    else {
      logger.warn('whatsapp restricts what the account sends', { operation: wait.code, delayMs: wait.untilMs - nowMs });
      metrics.count('SendBrakes', { cause });
    }
    await this.#record(next);
    // It is on its way before the end of the refused message is: the publisher keeps their order.
    void this.tell();
  }

  async #tellAll(): Promise<void> {
    const { owned, publisher, assertOpen, clock, random } = this.#dependencies;
    for (let pace = this.#withChange(this.#pace); pace?.told?.isPending; pace = this.#withChange(this.#pace)) {
      const { told } = pace;
      if (told !== this.#noted && (await this.#record(pace)) === 'lost') return;
      assertOpen();
      await publisher.publish(owned, [this.#toFact(this.#pace ?? pace, told)], makeId('cor', clock.nowMs(), random));
      const { isPending: _told, ...done } = told;
      if ((await this.#record({ ...(this.#pace ?? pace), told: done })) === 'lost') return;
    }
  }

  #toFact(pace: Pace, told: ToldPace): PaceFact {
    const { used, limit } = shownPace(pace, this.#chosen(), told.atMs);
    const { atMs, wait } = told;
    return {
      kind: 'pace',
      key: paceKey(told),
      atMs,
      used,
      ...(limit === undefined ? {} : { limit }),
      ...(wait === undefined ? {} : { wait: { ...wait } }),
    };
  }

  /** A pace with what is to be told of it next, unless something waits to be told already: then that comes first. */
  #withChange<Given extends Pace | undefined>(pace: Given): Given {
    if (pace === undefined || pace.told?.isPending) return pace;
    const told = toTell(pace, this.#chosen(), this.#dependencies.clock.nowMs());
    return told === undefined ? pace : { ...pace, told };
  }

  /** Memory has the pace at once, and the store before this resolves. */
  #record(pace: Pace): Promise<'recorded' | 'lost'> {
    this.#pace = this.#withChange(pace);
    const { record, assertOpen } = this.#dependencies;
    const written = this.#writing.then(async () => {
      assertOpen();
      const latest = this.#pace ?? pace;
      const outcome = await record(latest);
      if (outcome === 'recorded') this.#noted = latest.told;
      return outcome;
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  /** What this owner knows of an account is newer than its record, where a write of it has failed. */
  async #read(): Promise<void> {
    const { connections, owned, clock } = this.#dependencies;
    const connection = await connections.find(owned.tenantId, owned.connectionId);
    const account = connection?.account?.phoneJid;
    if (account === undefined) {
      // The account is on its way to the record.
      this.#loading = undefined;
      return;
    }
    if (this.#pace?.account === account) return;
    const stored = connection?.pace;
    this.#noted = stored?.told;
    const known = stored?.account === account ? stored : newPace(account, clock.nowMs(), stored);
    const budgets = this.#dependencies.config.paceBudgets === 'off' ? 'off' : undefined;
    // Functions know the default of the fleet from here.
    if (known === stored && known.budgets === budgets) this.#pace = known;
    else {
      const { budgets: _before, ...rest } = known;
      await this.#record({ ...rest, ...(budgets === undefined ? {} : { budgets }) });
    }
    void this.tell();
  }

  #limit(pace: Pace): number | undefined {
    return firstContactLimit(pace, this.#chosen(), this.#dependencies.clock.nowMs());
  }

  /** The rates that hold; undefined where the settings take the budgets away. */
  #rates(): { readonly messagesPerMinute: number; readonly messagesPerChatPerMinute: number } | undefined {
    const { config } = this.#dependencies;
    const { budgets, messagesPerMinute, messagesPerChatPerMinute } = this.#chosen();
    if (budgets === 'off') return undefined;
    return {
      messagesPerMinute: messagesPerMinute ?? config.messagesPerMinute,
      messagesPerChatPerMinute: messagesPerChatPerMinute ?? config.messagesPerChatPerMinute,
    };
  }

  /** The chosen settings with their defaults. They are asked for several times a send, and change hardly ever. */
  #chosen(): AppliedSettingValues['pace'] {
    const settings = this.#dependencies.settings();
    if (this.#applied?.of !== settings) {
      const { budgets = this.#dependencies.config.paceBudgets, ...rest } = withDefaults(settings).pace;
      this.#applied = { of: settings, values: { ...rest, budgets } };
    }
    return this.#applied.values;
  }
}
