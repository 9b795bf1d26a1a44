import type { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import { erasedKinds, type ErasedCounts, type ErasureJob } from '../../shared/archive/archiveJob.ts';
import { isChosen } from '../../shared/archive/chosenRows.ts';
import { isUnfinished, lookUpsOf, removeRows, rowsOfMessage } from '../../shared/archive/eraseRows.ts';
import { isBetween, sections, type JobPlace, type Section } from '../../shared/archive/jobPlace.ts';
import { chosenOn, rowsOfPast, takePast } from '../../shared/archive/pastRows.ts';
import { readRowsAt, type RowTable } from '../../shared/archive/rowsInPlace.ts';
import { nextConnection, searchNames, type SearchDependencies } from '../../shared/archive/searchNames.ts';
import { contactErasedKeyOf } from '../../shared/event/facts/contactErasedFact.ts';
import { publishFact, type FactQueue } from '../../shared/event/publishFact.ts';
import { tagOfChat, tagOfPastId, type ConnectionId, type MessageId } from '../../shared/kernel/id.ts';
import { askToErase, eraseFilesJobsOf } from '../../shared/media/eraseJob.ts';
import { retentionSeconds } from '../../shared/platform/expiry.ts';
import type { Item } from '../../shared/platform/pages.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface ErasureDependencies
  extends RowTable, SearchDependencies, FactQueue, Pick<Surroundings, 'clock' | 'metrics'> {
  readonly jobs: Pick<ArchiveJobs, 'change' | 'end'>;
}

type Worked = ErasureJob | 'changed' | 'ended';

/** Messages that are removed side by side. */
const SIDE_BY_SIDE = 8;
/** The answers of the table, of 1 MB each, after which it is written down how far one came. */
const ANSWERS = 24;

/**
 * Does the next step of an erasure, and writes down how far it is. What one removes is read again by whoever comes after a death, and not there: it is
 * then removed all the same, and not counted, so that a receipt says too little rather than too much. The files of a message are asked for before its row goes.
 */
export async function workErasure(
  dependencies: ErasureDependencies,
  job: ErasureJob,
  mayGoOn: () => boolean,
): Promise<Worked> {
  const { jobs, clock } = dependencies;
  if (job.state === 'done') return job.isTold === true ? jobs.end(job) : tellEnd(dependencies, job);
  if (job.place.phase === 'names') {
    const found = await searchNames(dependencies, { ...job, only: undefined }, mayGoOn);
    return jobs.change(job, { ...found, progressAtMs: clock.nowMs() });
  }
  const step = await eraseStep(dependencies, job, mayGoOn);
  const end = step.isLast
    ? { state: 'done' as const, endedAtMs: clock.nowMs(), contact: masked(job.contact), names: [] }
    : {};
  const { removed, unfinished, place, toldOn, connections } = step;
  return jobs.change(job, { removed, unfinished, place, toldOn, connections, progressAtMs: clock.nowMs(), ...end });
}

interface Step extends Pick<ErasureJob, 'removed' | 'unfinished' | 'place' | 'toldOn' | 'connections'> {
  readonly isLast: boolean;
}

async function eraseStep(dependencies: ErasureDependencies, job: ErasureJob, mayGoOn: () => boolean): Promise<Step> {
  let { place, removed, unfinished, toldOn, connections } = job;
  for (let answers = 0; answers < ANSWERS && mayGoOn();) {
    if (isBetween(place)) {
      const connection = await nextConnection(dependencies, { ...job, only: undefined }, place.connectionId);
      if (connection === undefined) return { removed, unfinished, place, toldOn, connections, isLast: true };
      toldOn ??= connection.connectionId;
      connections += 1;
      removed = add(removed, await removeRows(dependencies, lookUpsOf(connection.connectionId, job.names)));
      place = { phase: 'rows', connectionId: connection.connectionId, section: 0 };
      continue;
    }
    const done = await eraseRowsAt(dependencies, job, place);
    answers += 1;
    place = done.place;
    removed = add(removed, done.removed);
    unfinished += done.unfinished;
  }
  return { removed, unfinished, place, toldOn, connections, isLast: false };
}

async function eraseRowsAt(
  dependencies: ErasureDependencies,
  { tenantId, names }: ErasureJob,
  place: JobPlace,
): Promise<{ readonly removed: ErasedCounts; readonly unfinished: number; readonly place: JobPlace }> {
  const { connectionId } = place;
  const holds = sections[place.section]?.holds;
  const { rows, next } = await readRowsAt(dependencies, place, dependencies.clock.nowMs());
  if (holds === undefined || connectionId === undefined) return { removed: {}, unfinished: 0, place: next };
  if (holds === 'history') {
    const removed = await erasePast(dependencies, { tenantId, connectionId, names }, rows);
    return { removed, unfinished: 0, place: next };
  }
  const chosen = rows.filter((row) => isChosen(holds, row, { names, isAuthor: true }));
  const waiting = chosen.filter((row) => holds !== 'messages' || !isUnfinished(row));
  const unfinished = chosen.length - waiting.length;
  let removed: ErasedCounts = {};
  const lane = async (): Promise<void> => {
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      const counts = await eraseRow(dependencies, { tenantId, connectionId, holds }, row);
      removed = add(removed, counts);
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, waiting.length) }, lane));
  return { removed, unfinished, place: next };
}

async function eraseRow(
  dependencies: ErasureDependencies,
  of: {
    readonly tenantId: ErasureJob['tenantId'];
    readonly connectionId: ConnectionId;
    readonly holds: Exclude<Section['holds'], 'history'>;
  },
  row: Item,
): Promise<ErasedCounts> {
  const { connectionId, holds } = of;
  if (holds !== 'messages')
    return removeRows(dependencies, [[holds, { pk: String(row['pk']), sk: String(row['sk']) }]]);
  const { rows, mediaIds } = await rowsOfMessage(dependencies, connectionId, row);
  if (mediaIds.length > 0) await askToErase(dependencies, eraseFilesJobsOf(of, mediaIds));
  const removed = await removeRows(dependencies, rows);
  const isCounted = removed.messages !== undefined && !isOfHistory(row);
  return mediaIds.length === 0 || !isCounted ? removed : { ...removed, files: mediaIds.length };
}

/** Whether a message has a copy in the history, with which its files are counted. */
function isOfHistory({ messageId, chat }: Item): boolean {
  return typeof chat === 'string' && tagOfPastId(messageId as MessageId) === tagOfChat(chat);
}

/** Erases what the person wrote, and what was written to them, on some sheets of a history. */
async function erasePast(
  dependencies: ErasureDependencies,
  { tenantId, connectionId, names }: Pick<ErasureJob, 'tenantId' | 'names'> & { readonly connectionId: ConnectionId },
  sheets: readonly Item[],
): Promise<ErasedCounts> {
  let removed: ErasedCounts = {};
  for (const sheet of sheets) {
    const messages = chosenOn(sheet, connectionId, { names, isAuthor: true });
    if (messages.length === 0) continue;
    const { own, mediaIds } = await rowsOfPast(dependencies, connectionId, messages);
    for (const row of own) {
      removed = add(removed, await eraseRow(dependencies, { tenantId, connectionId, holds: 'messages' }, row));
    }
    if (mediaIds.length > 0) {
      await askToErase(dependencies, eraseFilesJobsOf({ tenantId, connectionId }, mediaIds));
    }
    const taken = await takePast(dependencies, connectionId, sheet, messages);
    if (taken > 0)
      removed = add(removed, { history: taken, ...(mediaIds.length === 0 ? {} : { files: mediaIds.length }) });
  }
  return removed;
}

async function tellEnd(dependencies: ErasureDependencies, job: ErasureJob): Promise<Worked> {
  const { jobs, clock, metrics } = dependencies;
  const { jobId, toldOn, removed, unfinished, endedAtMs = clock.nowMs() } = job;
  if (toldOn !== undefined) {
    await publishFact(
      dependencies,
      { ...job, connectionId: toldOn },
      {
        kind: 'contact_erased',
        key: contactErasedKeyOf(jobId),
        atMs: endedAtMs,
        erasureId: jobId,
        removed: { ...removed },
        unfinished,
      },
    );
  }
  const told = await jobs.change(job, { isTold: true, dueAtMs: endedAtMs + retentionSeconds.message * 1_000 });
  if (told !== 'changed') metrics.count('ArchiveJobsEnded', { outcome: 'erasure_done' });
  return told;
}

function add(one: ErasedCounts, other: ErasedCounts): ErasedCounts {
  const kinds = erasedKinds.filter((kind) => one[kind] !== undefined || other[kind] !== undefined);
  return Object.fromEntries(kinds.map((kind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)]));
}

/** What a receipt keeps of an address: enough to know it by for who has it, and nothing to find anybody by. */
function masked(contact: string): string {
  const [user = '', server] = contact.split('@');
  const shown = user.length < 8 ? '…' : `${user.slice(0, 3)}…${user.slice(-2)}`;
  return server === undefined ? shown : `${shown}@${server}`;
}
