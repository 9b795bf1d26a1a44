import { askToErase, eraseFilesJobsOf } from '../../shared/media/eraseJob.ts';
import type { Erasure, Erasures } from '../../shared/media/erasures.ts';
import type { MediaQueue } from '../../shared/media/mediaJob.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * Tells the queue of media of all files of connections that were deleted. Messages of one connection are looked at in steps: the queue has the jobs of a step before
 * it is written down how far it came.
 *
 * - The run dies after any of these calls, or two are made at once: the queue has some jobs twice, and to erase a file twice comes to the same.
 * - There is no time left: the next run begins behind the last step.
 */
export interface EraseConnectionsDependencies extends MediaQueue, Pick<Surroundings, 'logger'> {
  readonly erasures: Pick<Erasures, 'list' | 'nextFiles' | 'advance' | 'end'>;
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
  for await (const erasure of dependencies.erasures.list()) {
    if (!mayGoOn()) return;
    await eraseConnection(dependencies, erasure, mayGoOn).catch((error: unknown) => onFailure(erasure, error));
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
  for (let files = 0; mayGoOn();) {
    const { mediaIds, last } = await erasures.nextFiles(now);
    await askToErase(dependencies, eraseFilesJobsOf(erasure, mediaIds));
    files += mediaIds.length;
    if (last === undefined) {
      await erasures.end(erasure);
      logger.info('the files of a deleted connection are being removed', { ...fields, files });
      return;
    }
    if ((await erasures.advance(now, last)) === 'gone') return;
    now = { ...now, after: last };
  }
}
