import type { ConnectionAccount } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { StoredOffer } from '../../shared/connection/pairingOffer.ts';
import type { ConnectionStatus, StatusCode } from '../../shared/connection/status.ts';
import type { StatusFact } from '../../shared/event/internalEvent.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { makeId } from '../../shared/kernel/id.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { EventPublisher } from '../events/eventPublisher.ts';
import type { OwnedConnection } from '../socket/connectionSocket.ts';
import { LatestWrites } from './latestWrites.ts';

/** Where pairing offers are shown. They are secrets: never logged, never in events. */
export interface OfferBoard {
  readonly put: (connection: OwnedConnection, offer: StoredOffer) => Promise<'stored' | 'lost'>;
  readonly remove: (connection: OwnedConnection) => Promise<void>;
}

export interface RecorderDependencies {
  readonly owned: OwnedConnection;
  readonly connections: Pick<ConnectionStore, 'recordStatus' | 'recordAccount'>;
  readonly offers: OfferBoard;
  readonly publisher: EventPublisher;
  /** Throws when this worker may not act at the moment. Asked before each write. */
  readonly assertOpen: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long `connecting` and `reconnecting` must last before tenants hear of them. */
  readonly settleMs: number;
  /** The status that the record shows now. */
  readonly shown: ShownStatus;
  /** Numbers the status facts of this connection under its token, over all runners of it. */
  readonly nextFactNumber: () => number;
  /** The record is gone, or a newer owner has written. */
  readonly onLost: () => void;
}

export interface ShownStatus {
  readonly status: ConnectionStatus;
  readonly code: StatusCode;
}

const TRANSIENT: ReadonlySet<ConnectionStatus> = new Set(['connecting', 'reconnecting']);

/**
 * Records what tenants see of a connection: status, account and pairing offer. Writes are retried until they succeed or a
 * newer one replaces them; each carries the token, so that a newer owner's stands. The status is written to the record
 * first and published after. Equal statuses are dropped, and short transient ones are not published.
 */
export class ConnectionRecorder {
  readonly #dependencies: RecorderDependencies;
  readonly #writes: LatestWrites;
  #recorded: ShownStatus;
  #published: ShownStatus;
  #settling: AbortController | undefined;

  constructor(dependencies: RecorderDependencies) {
    this.#dependencies = dependencies;
    this.#writes = new LatestWrites(dependencies);
    this.#recorded = dependencies.shown;
    this.#published = dependencies.shown;
  }

  /** Records a status and tells the tenant, unless nothing changed. */
  status(shown: ShownStatus): void {
    if (isEqual(shown, this.#recorded)) return;
    this.#recorded = shown;
    this.#settling?.abort();
    this.#settling = undefined;
    const sinceMs = this.#dependencies.clock.nowMs();
    this.#add('status', async () => {
      const { connections, owned } = this.#dependencies;
      return connections.recordStatus(owned, { ...shown, sinceMs });
    });
    if (!TRANSIENT.has(shown.status)) {
      this.#publish(shown, sinceMs);
      return;
    }
    const settling = new AbortController();
    this.#settling = settling;
    void this.#dependencies.clock.sleep(this.#dependencies.settleMs, settling.signal).then(() => {
      if (!settling.signal.aborted) this.#publish(shown, sinceMs);
    });
  }

  /** Records the linked account, or that there is none. */
  account(account: ConnectionAccount | undefined): void {
    const { connections, owned } = this.#dependencies;
    this.#add('account', async () => connections.recordAccount(owned, account));
  }

  /** Shows an offer, or takes it away. */
  offer(offer: StoredOffer | undefined): void {
    const { offers, owned } = this.#dependencies;
    this.#add('offer', async () => {
      if (offer !== undefined) return (await offers.put(owned, offer)) === 'stored' ? 'set' : 'missing';
      await offers.remove(owned);
      return 'set';
    });
  }

  /** Waits until all is written, at most `deadlineMs`. Returns whether it is. */
  async flush(deadlineMs: number): Promise<boolean> {
    return this.#writes.flush(deadlineMs);
  }

  /** Writes nothing more. */
  abandon(): void {
    this.#settling?.abort();
    this.#writes.abandon();
  }

  #add(name: string, write: () => Promise<'set' | 'missing'>): void {
    this.#writes.add(name, async () => {
      this.#dependencies.assertOpen();
      if ((await write()) === 'missing') this.#dependencies.onLost();
    });
  }

  #publish(shown: ShownStatus, atMs: number): void {
    if (isEqual(shown, this.#published)) return;
    this.#published = shown;
    const { owned, publisher, clock, random, nextFactNumber } = this.#dependencies;
    const number = nextFactNumber();
    const fact: StatusFact = {
      kind: 'status',
      key: `status:${owned.token}:${number}`,
      atMs,
      status: shown.status,
      code: shown.code,
    };
    const correlationId = makeId('cor', clock.nowMs(), random);
    // A name of its own: a fact is never replaced by a newer one, so tenants see each step once and in order.
    this.#writes.add(`fact ${number}`, async () => publisher.publish(owned, [fact], correlationId));
  }
}

function isEqual(left: ShownStatus, right: ShownStatus): boolean {
  return left.status === right.status && left.code === right.code;
}
