import { z } from 'zod';
import { lineKinds, type ExportJob, type LineCounts } from './archiveJob.ts';
import type { ExportPart } from './exportFiles.ts';

/** The version of the form of exports. What reads one refuses a greater number. */
export const EXPORT_FORMAT = 1;

const counts = z.partialRecord(z.enum(lineKinds), z.number().int().min(0));
const sha256 = z.string().regex(/^[\da-f]{64}$/);

/** What an export says of itself: with it nothing of the export can be missing, or be another, unseen. */
export const manifestSchema = z.object({
  format: z.literal('holdfast-export'),
  version: z.literal(EXPORT_FORMAT, { error: `is not ${EXPORT_FORMAT}: a newer release reads this export` }),
  exportId: z.string(),
  tenantId: z.string(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  asked: z.record(z.string(), z.unknown()),
  counts,
  parts: z.array(
    z.object({
      name: z.string().regex(/^part-\d{6}-[\da-f]{12}\.jsonl\.gz$/),
      number: z.number().int().min(1),
      lines: z.number().int().min(1),
      counts,
      bytes: z.number().int().min(1),
      sha256,
    }),
  ),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The manifest of an export whose parts are all there. The same export always has the same one, to the byte. */
export function toManifest(job: ExportJob, parts: readonly ExportPart[]): Manifest {
  const { jobId, tenantId, createdAtMs, progressAtMs, asked } = job;
  const { fromMs, untilMs, ...others } = asked;
  return {
    format: 'holdfast-export',
    version: EXPORT_FORMAT,
    exportId: jobId,
    tenantId,
    createdAt: toTime(createdAtMs),
    endedAt: toTime(progressAtMs),
    asked: {
      ...others,
      ...(fromMs === undefined ? {} : { from: toTime(fromMs) }),
      ...(untilMs === undefined ? {} : { until: toTime(untilMs) }),
    },
    counts: addCounts({}, job.counts),
    parts: parts.map((part) => ({ ...part, counts: addCounts({}, part.counts) })),
  };
}

/** The sum of two counts. */
export function addCounts(one: LineCounts, other: LineCounts): LineCounts {
  const kinds = lineKinds.filter((kind) => one[kind] !== undefined || other[kind] !== undefined);
  return Object.fromEntries(kinds.map((kind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)]));
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
