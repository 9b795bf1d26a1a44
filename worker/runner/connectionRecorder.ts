import type { ConnectionAccount } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { StoredOffer } from '../../shared/connection/pairingOffer.ts';
import type { ConnectionStatus, StatusCode } from '../../shared/connection/status.ts';
import { HISTORY_LENGTH, type StatusTransition } from '../../shared/connection/statusHistory.ts';
import { statusKey, type StatusFact } from '../../shared/event/facts/statusFact.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FactPublisher } from '../facts/factPublisher.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import { LatestWrites } from './latestWrites.ts';

/** The store in which pairing offers are shown. They are secrets: never logged, never in events. */
export interface OfferBoard {
  readonly put: (connection: OwnedConnection, offer: StoredOffer) => Promise<'stored' | 'lost'>;
  readonly remove: (connection: OwnedConnection) => Promise<void>;
}

/** The store in which changes of status are kept for the tenant and for support. */
export interface HistoryBook {
  readonly put: (connection: OwnedConnection, transition: StatusTransition) => Promise<'stored' | 'lost'>;
}

export interface RecorderDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {
  readonly owned: OwnedConnection;
  readonly connections: Pick<ConnectionStore, 'recordStatus' | 'recordAccount' | 'spendPairing'>;
  readonly offers: OfferBoard;
  readonly history: HistoryBook;
  readonly publisher: FactPublisher;
  /** Throws when this worker may not act at the moment. Called before each write. */
  readonly assertOpen: () => void;
  /** How long `connecting` and `reconnecting` must last before tenants are told of them, in milliseconds. */
  readonly settleMs: number;
  /** The status that the record shows now. */
  readonly shown: RecordedStatus;
  /** Numbers the status facts of this connection under its token, over all its runners. */
  readonly nextFactNumber: () => number;
  /** Called when the record is gone, or a newer owner has written. */
  readonly onLost: () => void;
}

export interface ShownStatus {
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
}

export interface RecordedStatus extends ShownStatus {
  readonly sinceMs: number;
  /** The number of changes of status of this connection, under all its owners. */
  readonly transitions: number;
}

/** A status to record, with the fields that only the record and the history show. */
export interface NewStatus extends ShownStatus {
  /** When the next socket is opened; absent when none is. */
  readonly nextAttemptAtMs?: number;
  /** The number of the close that led to the status. */
  readonly closeCode?: number | undefined;
}

/** What the record is to show and does not yet. */
interface Unwritten {
  readonly status?: Parameters<RecorderDependencies['connections']['recordStatus']>[1] | undefined;
  readonly account?: { readonly now: ConnectionAccount | undefined } | undefined;
}

/** How long a write waits once for the rows that it comes after, in milliseconds; it waits again and again. */
const ROWS_FIRST_MS = 20_000;

const TRANSIENT: ReadonlySet<ConnectionStatus> = new Set(['connecting', 'reconnecting']);

/**
 * Records what tenants see of a connection: status, account and pairing offer. Writes are retried until they succeed or a
 * newer one replaces them; each carries the token, so that a newer owner's stands. Status and account change in one write
 * of the record; the offer is written beside it, the line of history after it, because only the record says whether this
 * is still the owner, and what is published comes after all of them. Equal statuses are dropped, but for the time of the
 * next attempt, which only the record shows; short transient ones are not published.
 *
 * A process that dies between the writes of one change leaves some of them. A record without its line of history is what
 * its next owner's change of status overwrites, by its number; an offer that stays is void at its own end; a request that is spent by an account goes with it in the same write, and any other before the
 * status that tells of its end.
 */
export class ConnectionRecorder {
  readonly #dependencies: RecorderDependencies;
  /** Writes of the record, which stay in order. */
  readonly #record: LatestWrites;
  readonly #offers: LatestWrites;
  readonly #history: LatestWrites;
  /** Facts, which wait for the rows, while no row waits for a queue that accepts nothing. */
  readonly #facts: LatestWrites;
  #isAbandoned = false;
  #recorded: ShownStatus;
  #sinceMs: number;
  #transitions: number;
  #nextAttemptAtMs: number | undefined;
  #published: ShownStatus;
  #settling: AbortController | undefined;
  #unwritten: Unwritten = {};
  /** Whether the record shows an account that this recorder has written: with it went the request for its pairing. */
  #isAccountWritten = false;

  constructor(dependencies: RecorderDependencies) {
    this.#dependencies = dependencies;
    this.#record = new LatestWrites(dependencies);
    this.#offers = new LatestWrites(dependencies);
    this.#history = new LatestWrites(dependencies);
    this.#facts = new LatestWrites(dependencies);
    this.#recorded = dependencies.shown;
    this.#sinceMs = dependencies.shown.sinceMs;
    this.#transitions = dependencies.shown.transitions;
    this.#published = dependencies.shown;
  }

  /** Records a status and tells the tenant, unless nothing changed. */
  status({ status, code, nextAttemptAtMs, closeCode }: NewStatus): void {
    const shown: ShownStatus = { status, code };
    const isNew = !isEqual(shown, this.#recorded);
    if (!isNew && nextAttemptAtMs === this.#nextAttemptAtMs) return;
    this.#nextAttemptAtMs = nextAttemptAtMs;
    if (isNew) {
      this.#recorded = shown;
      this.#sinceMs = this.#dependencies.clock.nowMs();
      this.#transitions += 1;
    }
    const sinceMs = this.#sinceMs;
    const transitions = this.#transitions;
    this.#write({ status: { ...shown, sinceMs, nextAttemptAtMs, transitions } });
    if (!isNew) return;
    this.#keep({ ...shown, number: transitions, atMs: sinceMs, closeCode });
    this.#settling?.abort();
    this.#settling = undefined;
    if (!TRANSIENT.has(status)) {
      this.#publish(shown, sinceMs, nextAttemptAtMs);
      return;
    }
    const settling = new AbortController();
    this.#settling = settling;
    void this.#dependencies.clock.sleep(this.#dependencies.settleMs, settling.signal).then(() => {
      if (!settling.signal.aborted) this.#publish(shown, sinceMs, nextAttemptAtMs);
    });
  }

  /** Records the linked account, or that there is none. */
  account(account: ConnectionAccount | undefined): void {
    this.#write({ account: { now: account } });
  }

  /** Notes that a pairing request has ended, however it did. */
  pairingSpent(requestId: string): void {
    const { connections, owned } = this.#dependencies;
    this.#add(this.#record, 'pairing', async () => {
      if (this.#isAccountWritten) return 'set';
      // A newer request may stand there, or none: both are fine. A newer owner shows with the next write.
      await connections.spendPairing(owned, requestId);
      return 'set';
    });
  }

  /** Shows an offer, or takes it away. */
  offer(offer: StoredOffer | undefined): void {
    const { offers, owned } = this.#dependencies;
    this.#add(this.#offers, 'offer', async () => {
      if (offer !== undefined) return (await offers.put(owned, offer)) === 'stored' ? 'set' : 'missing';
      await offers.remove(owned);
      return 'set';
    });
  }

  /** Waits until all is written, at most `deadlineMs`. Returns whether it is. */
  async flush(deadlineMs: number): Promise<boolean> {
    const flushed = await Promise.all([this.#flushRows(deadlineMs), this.#facts.flush(deadlineMs)]);
    return flushed.every(Boolean);
  }

  async #flushRows(deadlineMs: number): Promise<boolean> {
    const lanes = [this.#record, this.#offers, this.#history];
    return (await Promise.all(lanes.map((lane) => lane.flush(deadlineMs)))).every(Boolean);
  }

  /** Ends everything: nothing more is written. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#settling?.abort();
    for (const lane of [this.#record, this.#offers, this.#history]) lane.abandon();
    this.#facts.abandon();
  }

  /** Each change is named by its place in the history, so that no more wait to be written than the history holds. */
  #keep(transition: StatusTransition): void {
    const { history, owned } = this.#dependencies;
    this.#add(this.#history, `transition ${transition.number % HISTORY_LENGTH}`, async () => {
      if (!(await this.#record.flush(ROWS_FIRST_MS))) throw new Error('the record is not written yet');
      if (this.#isAbandoned) return 'set';
      return (await history.put(owned, transition)) === 'stored' ? 'set' : 'missing';
    });
  }

  /** Changes the record: whatever is not written yet goes with it. */
  #write(change: Unwritten): void {
    this.#unwritten = { ...this.#unwritten, ...change };
    this.#add(this.#record, 'record', async () => {
      const { connections, owned } = this.#dependencies;
      const { status, account } = this.#unwritten;
      let outcome: 'set' | 'missing' = 'set';
      if (status !== undefined) {
        outcome = await connections.recordStatus(owned, account === undefined ? status : { ...status, account });
      } else if (account !== undefined) outcome = await connections.recordAccount(owned, account.now);
      if (account !== undefined) this.#isAccountWritten = account.now !== undefined;
      const { status: laterStatus, account: laterAccount } = this.#unwritten;
      this.#unwritten = {
        ...(laterStatus === status ? {} : { status: laterStatus }),
        ...(laterAccount === account ? {} : { account: laterAccount }),
      };
      return outcome;
    });
  }

  #add(lane: LatestWrites, name: string, write: () => Promise<'set' | 'missing'>): void {
    lane.add(name, async () => {
      this.#dependencies.assertOpen();
      if ((await write()) === 'set') return;
      // The publish ends at once: later facts would tell the tenant of a status that a newer owner knows better.
      this.abandon();
      this.#dependencies.onLost();
    });
  }

  #publish(shown: ShownStatus, atMs: number, nextAttemptAtMs: number | undefined): void {
    if (isEqual(shown, this.#published)) return;
    this.#published = shown;
    const { owned, publisher, clock, random, nextFactNumber } = this.#dependencies;
    const number = nextFactNumber();
    const fact: StatusFact = {
      kind: 'status',
      key: statusKey(owned.token, number),
      atMs,
      status: shown.status,
      code: shown.code,
      ...(nextAttemptAtMs === undefined ? {} : { nextAttemptAtMs }),
    };
    const correlationId = makeId('cor', clock.nowMs(), random);
    // Each fact has a name of its own and is never replaced by a newer one, so tenants see each step once and in order.
    this.#facts.add(`fact ${number}`, async () => {
      if (!(await this.#flushRows(ROWS_FIRST_MS))) throw new Error('the rows are not written yet');
      // A row was refused meanwhile: a newer owner knows better what to publish.
      if (this.#isAbandoned) return;
      await publisher.publish(owned, [fact], correlationId);
    });
  }
}

function isEqual(left: ShownStatus, right: ShownStatus): boolean {
  return left.status === right.status && left.code === right.code;
}
