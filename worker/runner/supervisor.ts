import type { ConnectionVitals, SocketSymptom } from '../../shared/connection/liveness.ts';
import type { LivenessConfig } from '../../shared/platform/livenessConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { judge, REMEMBERED_MS, type ProcessSymptom, type Recycle, type SupervisionRules } from './supervision.ts';

/** A connection, as far as the supervisor knows it. */
export interface Supervised {
  readonly vitals: () => ConnectionVitals;
  /** Asks WhatsApp for a sign of life. */
  readonly probe: () => void;
  /** Recycles its socket. Returns false when this socket was recycled before. */
  readonly recycle: (symptom: SocketSymptom, forMs: number) => boolean;
}

export interface SupervisorDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly config: LivenessConfig;
  /** The number of sockets that may be opened in a second. */
  readonly opensPerSecond: number;
  readonly connections: () => readonly Supervised[];
  /** Whether the worker may act. While it is suspended it reads nothing on purpose, and is not judged. */
  readonly isOpen: () => boolean;
  /** Called at most once, when new sockets do not help: another process should take over. */
  readonly onUnwell: (symptom: ProcessSymptom) => void;
}

/** The number of intervals after which a look is late: it comes from a process that was frozen. */
const LATE_INTERVALS = 2;
/**
 * Limits by which nothing is unwell. After a freeze all ages are those of the freeze: silent servers are asked first.
 */
const NO_LIMITS: SupervisionRules['limits'] = {
  runnerBusyMs: Infinity,
  openingMs: Infinity,
  lastFrameMs: Infinity,
  unhandledMs: Infinity,
  unacknowledgedMs: Infinity,
  lockMs: Infinity,
};

/**
 * Looks at the evidence of all connections of this worker, again and again, and recycles the sockets that are open in
 * name only. It trusts nothing that a connection reports about itself, and none of the deadlines inside it.
 */
export class Supervisor {
  readonly #dependencies: SupervisorDependencies;
  readonly #stopped = new AbortController();
  #past: readonly Recycle[] = [];
  #lookedAtMs: number;
  #wasLate = false;
  #isUnwell = false;

  constructor(dependencies: SupervisorDependencies) {
    this.#dependencies = dependencies;
    this.#lookedAtMs = dependencies.clock.monotonicMs();
  }

  /** Looks until it is stopped. One look ends before the next begins. */
  async run(): Promise<void> {
    const { clock, config } = this.#dependencies;
    for (;;) {
      await clock.sleep(config.superviseEveryMs, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      this.#safely(() => this.look());
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Looks once. A connection that cannot be judged does not cost the others their supervisor. */
  look(): void {
    const { config, clock, isOpen, metrics, opensPerSecond } = this.#dependencies;
    const nowMs = clock.monotonicMs();
    // This never happens twice in a row: a worker that is always late must be supervised all the more.
    const isLate = !this.#wasLate && nowMs - this.#lookedAtMs > config.superviseEveryMs * LATE_INTERVALS;
    this.#wasLate = isLate;
    this.#lookedAtMs = nowMs;
    if (!isOpen()) return;
    this.#past = this.#past.filter(({ atMs }) => nowMs - atMs < REMEMBERED_MS);
    const connections = this.#seen();
    const judgement = judge([...connections.keys()], this.#past, {
      limits: isLate ? NO_LIMITS : config.limits,
      probeAfterMs: config.probeAfterMs,
      mostRecycles: Math.max(1, Math.floor((opensPerSecond * config.superviseEveryMs) / 1_000)),
    });
    metrics.gauge('ConnectionsUnwell', judgement.unwell, {});
    const asked = new Set(judgement.probes);
    for (const [{ connectionId }, connection] of connections) {
      if (asked.has(connectionId)) this.#safely(() => connection.probe());
    }
    for (const { vitals, symptom, forMs } of judgement.recycles) {
      this.#safely(() => this.#recycle(vitals, connections.get(vitals), symptom, forMs));
    }
    if (judgement.endsProcess !== undefined) this.#giveUp(judgement.endsProcess);
  }

  #seen(): ReadonlyMap<ConnectionVitals, Supervised> {
    const seen = new Map<ConnectionVitals, Supervised>();
    for (const connection of this.#dependencies.connections()) {
      this.#safely(() => seen.set(connection.vitals(), connection));
    }
    return seen;
  }

  #recycle(
    { tenantId, connectionId, shard, evidence }: ConnectionVitals,
    connection: Supervised | undefined,
    symptom: SocketSymptom,
    forMs: number,
  ): void {
    const { logger, metrics, clock } = this.#dependencies;
    if (connection?.recycle(symptom, forMs) !== true) return;
    this.#past = [...this.#past, { connectionId, symptom, atMs: clock.monotonicMs() }];
    metrics.count('SocketsRecycled', { symptom });
    logger.warn('socket is open in name only and is replaced', { tenantId, connectionId, shard, symptom, evidence });
  }

  #giveUp(symptom: ProcessSymptom): void {
    if (this.#isUnwell) return;
    this.#isUnwell = true;
    const { logger, metrics, onUnwell } = this.#dependencies;
    metrics.count('WorkersUnwell', { because: symptom });
    logger.error('new sockets do not help: another worker should take over', { symptom });
    onUnwell(symptom);
  }

  #safely(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      this.#dependencies.logger.error('supervisor met an error', { error });
    }
  }
}
