import type { ConnectionVitals } from '../../shared/connection/liveness.ts';
import { summarize, writeDigest, type WorkerDigest } from '../../shared/connection/workerDigest.ts';
import type { FleetTable } from '../../shared/fleet/fleetTable.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { DigestConfig } from '../../shared/platform/watchdogConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { CommitGate } from '../fleet/gate.ts';

export interface DigestWriterDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  /** The Fleet table, through the client of heartbeats, so that traffic cannot delay a digest. */
  readonly fleet: FleetTable;
  readonly workerId: WorkerId;
  readonly gate: Pick<CommitGate, 'isOpen'>;
  /** Shards that this worker owns now, each with its epoch. */
  readonly ownedShards: () => ReadonlyMap<number, number>;
  readonly vitals: () => readonly ConnectionVitals[];
  /** How late the event loop was since the last call: the 99th percentile, in milliseconds. */
  readonly loopDelayMs: () => number;
  readonly config: DigestConfig;
  /** The deadline of one write, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Writes the digests by which the watchdog judges this worker, again and again, beside heartbeats and not with them: a
 * digest that is slow to make must not delay a lease. They are written one after another, so that an old one never
 * comes after a newer one.
 */
export function startDigestWriter(dependencies: DigestWriterDependencies): { readonly stop: () => Promise<void> } {
  const { clock, config, logger, gate, timeoutMs } = dependencies;
  const stopping = new AbortController();
  let number = 0;
  const write = async (): Promise<void> => {
    // A suspended worker need not write; the watchdog sees the lease.
    if (!gate.isOpen()) return;
    number += 1;
    const digest = makeDigest(dependencies, number);
    const { fleet, workerId } = dependencies;
    await withDeadline(
      'writing the digest',
      timeoutMs,
      () => writeDigest(fleet, workerId, digest, clock.nowMs()),
      clock,
    );
  };
  const keepWriting = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await write().catch((error: unknown) => logger.warn('digest was not written', { error }));
      await clock.sleep(config.everyMs, stopping.signal);
    }
  };
  const loop = keepWriting();
  return {
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

function makeDigest(
  { ownedShards, vitals, loopDelayMs, config }: DigestWriterDependencies,
  number: number,
): WorkerDigest {
  return {
    number,
    loopDelayMs: Math.round(loopDelayMs()),
    shards: summarize(ownedShards(), vitals(), config.suspectMs),
  };
}
