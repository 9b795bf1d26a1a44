import type { ExportJob, LineCounts, LineKind } from '../../shared/archive/archiveJob.ts';
import { isChosen, type Chosen } from '../../shared/archive/chosenRows.ts';
import { isBetween, sections, type JobPlace } from '../../shared/archive/jobPlace.ts';
import { chosenOn, withoutCopies } from '../../shared/archive/pastRows.ts';
import { readRowsAt } from '../../shared/archive/rowsInPlace.ts';
import { nextConnection, type SearchDependencies } from '../../shared/archive/searchNames.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { LiveCopies } from '../../shared/history/liveCopies.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import { toMessage } from '../../shared/message/messageItem.ts';
import type { Item } from '../../shared/platform/pages.ts';
import { copyFiles, type CopyDependencies } from './copyFiles.ts';
import type { ExportLine } from './exportLine.ts';
import { connectionLine, linesOf, pastLines, type LineDependencies } from './exportLines.ts';

export type PartDependencies = LineDependencies &
  CopyDependencies &
  SearchDependencies & { readonly live: Pick<LiveCopies, 'among'> };

/** The lines of a part, in bytes, beyond which it ends: they are in memory at once. */
const PART_BYTES = 8 * 1_024 * 1_024;
/** The answers of the table, of 1 MB each, after which it is written down how far one came though little was chosen of them. */
const ANSWERS = 48;

/** What comes next in an export. */
export interface NextPart {
  readonly lines: readonly string[];
  readonly counts: LineCounts;
  /** The bytes of files that were copied. */
  readonly copiedBytes: number;
  readonly place: JobPlace;
  /** The connection that it came to first. */
  readonly toldOn: ConnectionId | undefined;
  /** Whether there is nothing behind it. */
  readonly isLast: boolean;
}

/** Reads what comes next, as much as a part takes, or as there is time for. It changes nothing but the copies of files, which are made again to the same. */
export async function nextPart(
  dependencies: PartDependencies,
  job: ExportJob,
  mayGoOn: () => boolean,
): Promise<NextPart> {
  const part = new GrowingPart();
  const { asked, tenantId } = job;
  const chosen: Chosen = { ...asked, names: job.names, isAuthor: asked.contact !== undefined };
  let { place, toldOn } = job;
  for (let answers = 0; answers < ANSWERS && part.bytes < PART_BYTES && mayGoOn();) {
    if (isBetween(place)) {
      const of = { tenantId, only: asked.connectionId };
      const connection = await nextConnection(dependencies, of, place.connectionId);
      if (connection === undefined) return { ...part.toPart(), place, toldOn, isLast: true };
      const { connectionId } = connection;
      toldOn ??= connectionId;
      place = { phase: 'rows', connectionId, section: 0 };
      part.add([connectionLine(connection)]);
      continue;
    }
    const { rows, next } = await readRowsAt(dependencies, place, dependencies.clock.nowMs());
    answers += 1;
    await addRows(dependencies, { job, place, chosen, part }, rows);
    place = next;
  }
  return { ...part.toPart(), place, toldOn, isLast: false };
}

async function addRows(
  dependencies: PartDependencies,
  of: { readonly job: ExportJob; readonly place: JobPlace; readonly chosen: Chosen; readonly part: GrowingPart },
  rows: readonly Item[],
): Promise<void> {
  const { job, place, chosen, part } = of;
  const holds = sections[place.section]?.holds;
  if (holds === undefined || place.connectionId === undefined) return;
  if (holds === 'history') return addPast(dependencies, { ...of, connectionId: place.connectionId }, rows);
  const wanted = rows.filter((row) => isChosen(holds, row, chosen));
  if (wanted.length === 0) return;
  const nowMs = dependencies.clock.nowMs();
  part.add(await linesOf(dependencies, place.connectionId, place.section, wanted, nowMs));
  if (!job.asked.media || holds !== 'messages') return;
  const { lines, bytes } = await copyFiles(dependencies, job, wanted.map(toMessage));
  part.add(lines);
  part.copiedBytes += bytes;
}

async function addPast(
  dependencies: PartDependencies,
  { job, chosen, part, connectionId }: Omit<Parameters<typeof addRows>[1], 'place'> & Pick<Connection, 'connectionId'>,
  sheets: readonly Item[],
): Promise<void> {
  for (const sheet of sheets) {
    const messages = await withoutCopies(dependencies, connectionId, chosenOn(sheet, connectionId, chosen));
    if (messages.length === 0) continue;
    part.add(await pastLines(dependencies, connectionId, messages));
    if (!job.asked.media) continue;
    const { lines, bytes } = await copyFiles(dependencies, job, messages);
    part.add(lines);
    part.copiedBytes += bytes;
  }
}

class GrowingPart {
  bytes = 0;
  copiedBytes = 0;
  readonly #lines: string[] = [];
  readonly #counts: Partial<Record<LineKind, number>> = {};

  add(lines: readonly ExportLine[]): void {
    for (const { kind, text } of lines) {
      this.#lines.push(text);
      this.bytes += Buffer.byteLength(text);
      this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    }
  }

  toPart(): Pick<NextPart, 'lines' | 'counts' | 'copiedBytes'> {
    return { lines: this.#lines, counts: this.#counts, copiedBytes: this.copiedBytes };
  }
}
