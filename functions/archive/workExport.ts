import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArchiveJobs } from '../../shared/archive/archiveJobs.ts';
import { MOST_EXPORT_PARTS, type ExportJob } from '../../shared/archive/archiveJob.ts';
import { exportObjectKey, MANIFEST, type ExportFiles, type ExportPart } from '../../shared/archive/exportFiles.ts';
import { addCounts, toManifest } from '../../shared/archive/manifest.ts';
import { searchNames } from '../../shared/archive/searchNames.ts';
import { exportEndKeyOf } from '../../shared/event/facts/exportEndFact.ts';
import { publishFact, type FactQueue } from '../../shared/event/publishFact.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { nextPart, type NextPart, type PartDependencies } from './nextPart.ts';

export interface ExportDependencies extends PartDependencies, FactQueue, Pick<Surroundings, 'clock' | 'metrics'> {
  readonly jobs: Pick<ArchiveJobs, 'change' | 'end'>;
  readonly files: Pick<ExportFiles, 'note' | 'writeOf' | 'listParts' | 'listSome' | 'remove'>;
  readonly objects: Pick<ObjectStore, 'write' | 'remove'>;
}

type Worked = ExportJob | 'changed' | 'ended';
const DAY_MS = 86_400_000;
/** Objects that are removed before it is seen whether there is time for more. */
const REMOVED_AT_ONCE = 25;
const pack = promisify(gzip);

/**
 * Does the next step of an export, and writes down how far it is. Whoever dies in a step leaves it to the next run:
 *
 * - *before the part is written down*: the same rows are read again, into a part of the same number. What was stored is under a name of its own, which
 *   is noted, belongs to no export, and goes with it. So no line stands twice in an export.
 * - *two do it at once*: one write of the row holds.
 * - *between the end and its event*: the row says that it is not told yet, and ingest tells a fact once.
 */
export async function workExport(
  dependencies: ExportDependencies,
  job: ExportJob,
  mayGoOn: () => boolean,
): Promise<Worked> {
  if (job.state === 'deleting') return removeExport(dependencies, job, mayGoOn);
  if (job.state === 'running') return goOn(dependencies, job, mayGoOn);
  if (job.isTold !== true) return tellEnd(dependencies, job);
  return dependencies.jobs.change(job, { state: 'deleting' });
}

/** Ends an export that cannot be made. */
export function failExport(
  { jobs, clock }: ExportDependencies,
  job: ExportJob,
  fault: NonNullable<ExportJob['fault']>,
) {
  return jobs.change(job, { state: 'failed', fault, endedAtMs: clock.nowMs() });
}

async function goOn(dependencies: ExportDependencies, job: ExportJob, mayGoOn: () => boolean): Promise<Worked> {
  const { jobs, clock } = dependencies;
  if (job.place.phase === 'names') {
    const search = { ...job, only: job.asked.connectionId, names: job.names ?? [] };
    const found = await searchNames(dependencies, search, mayGoOn);
    return jobs.change(job, { ...found, progressAtMs: clock.nowMs() });
  }
  const next = await nextPart(dependencies, job, mayGoOn);
  const { place, toldOn, isLast } = next;
  if (next.lines.length === 0) {
    return isLast ? finish(dependencies, job) : jobs.change(job, { place, toldOn, progressAtMs: clock.nowMs() });
  }
  if (job.parts >= MOST_EXPORT_PARTS) return failExport(dependencies, job, 'too_large');
  const part = await storePart(dependencies, job, next);
  const set = {
    place,
    toldOn,
    parts: part.number,
    counts: addCounts(job.counts, next.counts),
    bytes: job.bytes + part.bytes + next.copiedBytes,
    progressAtMs: clock.nowMs(),
  };
  return jobs.change(job, set, [dependencies.files.writeOf(job, part)]);
}

async function storePart(dependencies: ExportDependencies, job: ExportJob, next: NextPart): Promise<ExportPart> {
  const packed = await pack(next.lines.join(''));
  const sha256 = createHash('sha256').update(packed).digest('hex');
  const number = job.parts + 1;
  const name = `part-${String(number).padStart(6, '0')}-${sha256.slice(0, 12)}.jsonl.gz`;
  await store(dependencies, job, { name, bytes: packed, contentType: 'application/gzip' });
  return { name, number, lines: next.lines.length, counts: next.counts, bytes: packed.length, sha256 };
}

async function finish(dependencies: ExportDependencies, job: ExportJob): Promise<Worked> {
  const { jobs, files, clock } = dependencies;
  const manifest = Buffer.from(`${JSON.stringify(toManifest(job, await files.listParts(job)), undefined, 2)}\n`);
  await store(dependencies, job, { name: MANIFEST, bytes: manifest, contentType: 'text/plain' });
  const manifestSha256 = createHash('sha256').update(manifest).digest('hex');
  return jobs.change(job, { state: 'done', manifestSha256, endedAtMs: clock.nowMs() });
}

async function store(
  { files, objects }: ExportDependencies,
  job: ExportJob,
  { name, bytes, contentType }: { readonly name: string; readonly bytes: Buffer; readonly contentType: string },
): Promise<void> {
  await files.note(job, name);
  await withDeadline('storing a file of an export', deadlines.objectCall.ms, (signal) =>
    objects.write(exportObjectKey(job, name), inOnePiece(bytes), { contentType }, signal),
  );
}

async function* inOnePiece(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function tellEnd(dependencies: ExportDependencies, job: ExportJob): Promise<Worked> {
  const { jobs, clock, metrics } = dependencies;
  const { jobId, toldOn, state, counts, parts, bytes, fault, endedAtMs = clock.nowMs() } = job;
  if (toldOn !== undefined) {
    const common = { kind: 'export_end', key: exportEndKeyOf(jobId), atMs: endedAtMs, exportId: jobId } as const;
    const end = state === 'failed' ? { fault: fault ?? 'not_possible' } : {};
    await publishFact(
      dependencies,
      { ...job, connectionId: toldOn },
      { ...common, counts: { ...counts }, parts, bytes, ...end },
    );
  }
  const told = await jobs.change(job, { isTold: true, dueAtMs: endedAtMs + job.keptDays * DAY_MS });
  if (told !== 'changed')
    metrics.count('ArchiveJobsEnded', { outcome: state === 'failed' ? 'export_failed' : 'export_done' });
  return told;
}

/** Removes the objects of an export, and at last itself. What is removed twice is as good as once. */
async function removeExport(dependencies: ExportDependencies, job: ExportJob, mayGoOn: () => boolean): Promise<Worked> {
  const { jobs, files, objects } = dependencies;
  while (mayGoOn()) {
    const some = await files.listSome(job, REMOVED_AT_ONCE);
    if (some.length === 0) return jobs.end(job);
    for (const { name } of some) {
      await objects.remove(exportObjectKey(job, name));
      await files.remove(job, name);
    }
  }
  return job;
}
