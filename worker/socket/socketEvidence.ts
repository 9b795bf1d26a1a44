import type { EventEmitter } from 'node:events';
import type { Evidence } from '../../shared/connection/liveness.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { CommitGate } from '../fleet/gate.ts';
import type { Acknowledgements } from './sending/acknowledgements.ts';
import { addressLocks, type AddressLocks } from './signal/addressLocks.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { InboundOrder } from './inbound/inboundOrder.ts';

type Inbound = Pick<InboundOrder, 'firstSinceMs' | 'lastHandledAtMs'>;
type Sends = Pick<Acknowledgements, 'oldestSinceMs' | 'lastAtMs'>;

export interface EvidenceOptions {
  readonly connection: Pick<OwnedConnection, 'connectionId'>;
  readonly gate: Pick<CommitGate, 'openForMs'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/**
 * The evidence that one socket shows of its life: a few numbers that are written as things happen, and read on demand.
 */
export class SocketEvidence {
  readonly #options: EvidenceOptions;
  readonly #inbound: Inbound;
  readonly #sends: Sends;
  readonly #locks: Pick<AddressLocks, 'oldestSinceMs'>;
  #phase: Evidence['phase'] = 'opening';
  /** The start of the phase; undefined before the WebSocket is open. */
  #phaseSinceMs: number | undefined;
  #lastFrameAtMs: number;

  constructor(
    options: EvidenceOptions,
    inbound: Inbound,
    sends: Sends,
    locks: Pick<AddressLocks, 'oldestSinceMs'> = addressLocks,
  ) {
    this.#options = options;
    this.#inbound = inbound;
    this.#sends = sends;
    this.#locks = locks;
    this.#lastFrameAtMs = options.clock.monotonicMs();
  }

  /** Notes each frame of the raw WebSocket as it comes off the network, also those that the gate holds back. */
  watch(raw: EventEmitter): void {
    raw.once('open', () => this.enter('opening'));
    raw.on('message', () => {
      this.#lastFrameAtMs = this.#options.clock.monotonicMs();
    });
  }

  /** Begins a phase. An offer that is renewed does not begin another. */
  enter(phase: Evidence['phase']): void {
    if (phase === this.#phase && this.#phaseSinceMs !== undefined) return;
    this.#phase = phase;
    this.#phaseSinceMs = this.#options.clock.monotonicMs();
  }

  /**
   * The evidence at a moment.
   * @param nowMs the moment on the monotonic clock
   */
  at(nowMs: number): Evidence {
    const { gate, connection } = this.#options;
    const openForMs = gate.openForMs();
    const age = (sinceMs: number): number => Math.max(0, Math.min(nowMs - sinceMs, openForMs));
    const ageOf = (sinceMs: number | undefined): number | undefined =>
      sinceMs === undefined ? undefined : age(sinceMs);
    return {
      phase: this.#phase,
      phaseMs: age(this.#phaseSinceMs ?? nowMs),
      lastFrameMs: age(this.#lastFrameAtMs),
      lastHandledMs: ageOf(this.#inbound.lastHandledAtMs),
      lastAckMs: ageOf(this.#sends.lastAtMs),
      oldestUnhandledMs: ageOf(this.#inbound.firstSinceMs),
      oldestUnacknowledgedMs: ageOf(this.#sends.oldestSinceMs),
      oldestLockMs: ageOf(this.#locks.oldestSinceMs(connection.connectionId)),
    };
  }
}
