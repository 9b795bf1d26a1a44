import type { FleetTable } from '../../shared/fleet/fleetTable.ts';
import { noVersionPlan, refuseVersion, versionFor, type VersionPlan } from '../../shared/fleet/whatsAppVersion.ts';
import { changeVersionPlan, readVersionPlan } from '../../shared/fleet/whatsAppVersionStore.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/** The part of the client versions that sockets use. */
export interface VersionChoice {
  /** Returns the version with which the next socket of a connection presents itself. */
  readonly of: (connectionId: ConnectionId) => string;
  /** Whether WhatsApp refuses that version, so that a login would be wasted. */
  readonly isRefused: (connectionId: ConnectionId) => boolean;
  /** Notes WhatsApp's answer to a socket of a version. */
  readonly note: (version: string, answer: 'accepted' | 'refused') => void;
}

export interface ClientVersionsDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly fleet: FleetTable;
  /** The version that is used until an operator names one. */
  readonly vetted: string;
  readonly readEveryMs: number;
  /** Called when connections may have another version: the ones that wait for one should look again. */
  readonly onChanged: () => void;
}

/**
 * The refusals that make a verdict. One may be a passing fault of a server; two within this time, with no login of that
 * version between them, count.
 */
const VERDICT = { refusals: 2, withinMs: 10 * 60_000 } as const;

/**
 * The fleet's breaker for refused client versions (405), as one worker sees it. It is open for a version, not for a
 * connection: after the verdict no socket of this worker logs in with that version, and through the Fleet item no other
 * worker's does. So a wave of refusals costs each worker its handshakes in flight and no more, whatever the number of
 * connections. It closes when an operator changes the version; open sockets stay as they are.
 */
export class ClientVersions implements VersionChoice {
  readonly #dependencies: ClientVersionsDependencies;
  readonly #stopping = new AbortController();
  /** The plan as it was read, with the verdicts of this worker that are not written yet. */
  #plan: VersionPlan = noVersionPlan;
  readonly #refusedAtMs = new Map<string, readonly number[]>();
  readonly #unwritten = new Set<string>();
  #work: Promise<void> = Promise.resolve();

  constructor(dependencies: ClientVersionsDependencies) {
    this.#dependencies = dependencies;
  }

  readonly of = (connectionId: ConnectionId): string => versionFor(this.#plan, this.#dependencies.vetted, connectionId);

  readonly isRefused = (connectionId: ConnectionId): boolean => this.#plan.refused.includes(this.of(connectionId));

  readonly note = (version: string, answer: 'accepted' | 'refused'): void => {
    if (answer === 'accepted') {
      this.#refusedAtMs.delete(version);
      return;
    }
    if (this.#plan.refused.includes(version)) return;
    const nowMs = this.#dependencies.clock.monotonicMs();
    const recent = (this.#refusedAtMs.get(version) ?? []).filter((atMs) => nowMs - atMs < VERDICT.withinMs);
    this.#refusedAtMs.set(version, [...recent, nowMs]);
    if (recent.length + 1 >= VERDICT.refusals) this.#condemn(version);
  };

  /** Reads the plan now and then again and again. Resolves after the first read, whether it worked or not. */
  async start(): Promise<void> {
    await this.#refresh();
    void this.#keepReading();
  }

  stop(): void {
    this.#stopping.abort();
  }

  #condemn(version: string): void {
    const { logger, clock } = this.#dependencies;
    logger.error('WhatsApp refuses this client version', { version });
    this.#refusedAtMs.delete(version);
    this.#unwritten.add(version);
    this.#plan = refuseVersion(this.#plan, version, clock.nowMs());
    void this.#refresh();
  }

  async #keepReading(): Promise<void> {
    const { clock, readEveryMs } = this.#dependencies;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(readEveryMs, signal);
      if (!signal.aborted) await this.#refresh();
    }
  }

  /**
   * Reads the plan, one read at a time: a plan that was read before a verdict was written must not come after it. Never
   * rejects.
   */
  #refresh(): Promise<void> {
    this.#work = this.#work
      .then(() => this.#readOrWrite())
      .catch((error: unknown) => {
        // Sockets go on with the plan that is known; the next turn tries again.
        this.#dependencies.logger.warn('WhatsApp versions could not be read', { error });
      });
    return this.#work;
  }

  async #readOrWrite(): Promise<void> {
    const { fleet } = this.#dependencies;
    if (this.#unwritten.size === 0) {
      this.#adopt(await readVersionPlan(fleet));
      return;
    }
    for (const version of this.#unwritten) await this.#tell(version);
  }

  /**
   * Writes a verdict for the whole fleet. Only the worker that was first counts it: one alarm, however many workers see
   * it.
   */
  async #tell(version: string): Promise<void> {
    const { fleet, clock, metrics, logger } = this.#dependencies;
    const { plan, before } = await changeVersionPlan(fleet, (read) => refuseVersion(read, version, clock.nowMs()));
    this.#unwritten.delete(version);
    if (plan !== before) {
      metrics.count('ClientVersionRefused', {});
      if (before.candidate?.version === version) logger.error('canary version rolled back', { version });
    }
    this.#adopt(plan);
  }

  #adopt(read: VersionPlan): void {
    const { clock, onChanged, logger } = this.#dependencies;
    const known = this.#plan;
    this.#plan = [...this.#unwritten].reduce((plan, version) => refuseVersion(plan, version, clock.nowMs()), read);
    if (meaning(this.#plan) === meaning(known)) return;
    const { revision, current, candidate } = this.#plan;
    logger.info('WhatsApp versions changed', { revision, current, candidate: candidate?.version });
    onChanged();
  }
}

/** The part of a plan that matters to sockets. Plans that differ in their revision only have the same one. */
function meaning({ current, candidate, refused }: VersionPlan): string {
  return JSON.stringify([current, candidate, refused]);
}
