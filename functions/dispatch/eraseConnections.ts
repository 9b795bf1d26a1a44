import { findStanding, isEnding } from '../../shared/identity/standing.ts';
import type { Erasure, Erasures, RemovedRows } from '../../shared/media/erasures.ts';
import { CHAT_PREFIX } from '../../shared/platform/chatKeys.ts';
import { CONTACT_PREFIX } from '../../shared/platform/contactKeys.ts';
import { SHEET_PREFIX } from '../../shared/platform/historyKeys.ts';
import { MESSAGE_PREFIX } from '../../shared/platform/keys.ts';
import type { Item } from '../../shared/platform/pages.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { eraseRows, letFilesGo, type ErasureInHand, type EraseRowsDependencies } from './eraseRows.ts';

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
  readonly erasures: Pick<
    Erasures,
    'list' | 'nextFiles' | 'advance' | 'toRows' | 'lookAgain' | 'end' | 'noteRemoved' | 'endForGood'
  >;
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
  const { erasures, logger, clock } = dependencies;
  const { tenantId, connectionId, correlationId, againAtMs = 0 } = erasure;
  if (clock.nowMs() < againAtMs) return;
  const fields = { tenantId, connectionId, correlationId };
  let now: ErasureInHand = { ...erasure, isOfDeleted: await isOfDeleted(dependencies, erasure) };
  for (let files = 0; now.phase === undefined;) {
    if (!mayGoOn()) return;
    const { mediaIds, last } = await erasures.nextFiles(now);
    await letFilesGo(dependencies, now, mediaIds);
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
  await eraseAndCount(dependencies, now, mayGoOn);
}

/** Whether the tenant of a connection is deleted with it. */
async function isOfDeleted(
  dependencies: EraseConnectionsDependencies,
  { tenantId, forGood }: Erasure,
): Promise<boolean> {
  if (forGood === true) return true;
  const standing = await findStanding(dependencies, tenantId);
  return standing !== undefined && isEnding(standing);
}

/** Removes the rows of a connection, and says how many where its tenant is deleted. Whoever dies in between says too few rather than too many. */
async function eraseAndCount(
  dependencies: EraseConnectionsDependencies,
  erasure: ErasureInHand,
  mayGoOn: () => boolean,
): Promise<void> {
  const { erasures } = dependencies;
  const removed: Record<string, number> = {};
  const onRemoved = (row: Item): void => {
    const kind = kindOf(row);
    removed[kind] = (removed[kind] ?? 0) + 1;
  };
  const counts: RemovedRows = removed;
  const isDone = (await eraseRows({ ...dependencies, onRemoved }, erasure, mayGoOn)) === 'done';
  if (isDone && erasure.forGood === true) return erasures.endForGood(erasure, counts);
  if (erasure.isOfDeleted) await erasures.noteRemoved(erasure, counts);
  if (isDone) await erasures.end(erasure);
}

const kinds = { [MESSAGE_PREFIX]: 'messages', [CHAT_PREFIX]: 'chats', [CONTACT_PREFIX]: 'contacts' } as const;

/** What a row is, as a receipt counts it. The chats of a history are rows that lead to others. */
function kindOf({ pk, sk }: Item): string {
  if (String(pk).startsWith('HISTORY#')) return String(sk).startsWith(SHEET_PREFIX) ? 'historyRows' : 'otherRows';
  return Object.entries(kinds).find(([prefix]) => String(sk).startsWith(prefix))?.[1] ?? 'otherRows';
}
