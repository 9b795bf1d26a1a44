import { askToErase, eraseFilesJobsOf } from '../../shared/media/eraseJob.ts';
import type { Erasure, Erasures } from '../../shared/media/erasures.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { eraseRows, type EraseRowsDependencies } from './eraseRows.ts';

/** How long one connection is worked before others have their turn, in milliseconds. */
const CONNECTION_MS = 4_000;

/**
 * Tells the queue of media of all files of connections that were deleted, and then removes their rows. Messages of one connection are looked at in steps: the queue has
 * the jobs of a step before it is written down how far it came.
 *
 * - The run dies after any of these calls, or two are made at once: the queue has some jobs twice, and to erase a file twice comes to the same.
 * - There is no time left: the next run begins behind the last step.
 */
export interface EraseConnectionsDependencies extends EraseRowsDependencies, Pick<Surroundings, 'logger'> {
  readonly erasures: Pick<Erasures, 'list' | 'nextFiles' | 'advance' | 'toRows' | 'lookAgain' | 'end'>;
}

/**
 * Does what there is to do, as far as there is time. One connection that fails does not hold up the others.
 * @param onFailure is told of each that failed
 * @param mayGoOn whether the run has time left
 */
export async function eraseConnections(
  dependencies: EraseConnectionsDependencies,
  onFailure: (erasure: Erasure, error: unknown) => void,
  mayGoOn: () => boolean,
): Promise<void> {
  const { clock } = dependencies;
  for await (const erasure of dependencies.erasures.list()) {
    if (!mayGoOn()) return;
    const endsAtMs = clock.monotonicMs() + CONNECTION_MS;
    const hasTurn = (): boolean => mayGoOn() && clock.monotonicMs() < endsAtMs;
    await eraseConnection(dependencies, erasure, hasTurn).catch((error: unknown) => onFailure(erasure, error));
  }
}

async function eraseConnection(
  dependencies: EraseConnectionsDependencies,
  erasure: Erasure,
  mayGoOn: () => boolean,
): Promise<void> {
  const { erasures, logger } = dependencies;
  const { tenantId, connectionId, correlationId } = erasure;
  const fields = { tenantId, connectionId, correlationId };
  let now = erasure;
  for (let files = 0; now.phase === undefined;) {
    if (!mayGoOn()) return;
    const { mediaIds, last } = await erasures.nextFiles(now);
    await askToErase(dependencies, eraseFilesJobsOf(erasure, mediaIds));
    files += mediaIds.length;
    if (last !== undefined) {
      if ((await erasures.advance(now, last)) === 'gone') return;
      now = { ...now, after: last };
      continue;
    }
    if ((await erasures.toRows(now)) === 'gone') return;
    logger.info('the files of a deleted connection are being removed', { ...fields, files });
    now = { ...now, phase: 'rows' };
  }
  if ((await eraseRows(dependencies, now, mayGoOn)) === 'done') await erasures.end(now);
}
