import { z } from 'zod';
import { exportFaults, exportStates, type ExportFault, type ExportJob } from './archiveJob.ts';
import { MANIFEST } from './exportFiles.ts';

const at = z.iso.datetime();
const faults = Object.keys(exportFaults) as [ExportFault, ...ExportFault[]];
const DAY_MS = 86_400_000;

export const exportViewSchema = z
  .object({
    id: z.string(),
    state: z.enum(exportStates),
    asked: z.object({
      connectionId: z.string().optional(),
      chat: z.string().optional(),
      contact: z.string().optional(),
      from: at.optional(),
      until: at.optional(),
      media: z.boolean(),
    }),
    scheduled: z.literal(true).optional().meta({ description: 'Present where your schedule made it.' }),
    counts: z
      .record(z.string(), z.number().int())
      .meta({ description: 'The number of lines by their kind, as far as it is.' }),
    parts: z.number().int(),
    bytes: z.number().int().meta({ description: 'Of all its files, as they are fetched.' }),
    error: z.object({ code: z.enum(faults), sentence: z.string() }).optional(),
    createdAt: at,
    endedAt: at.optional(),
    keptUntil: at.optional().meta({ description: 'Until when its files can be fetched.' }),
    manifest: z
      .object({ path: z.string(), sha256: z.string() })
      .optional()
      .meta({ description: 'What names all parts with their hashes, and its own hash, in hex.' }),
  })
  .meta({ id: 'Export' });

/** An export as the API shows it. */
export function toExportView(job: ExportJob): z.output<typeof exportViewSchema> {
  const { jobId, state, asked, isScheduled, counts, parts, bytes, fault, createdAtMs, endedAtMs, keptDays } = job;
  const { connectionId, chat, contact, fromMs, untilMs, media } = asked;
  const hash = state === 'done' ? job.manifestSha256 : undefined;
  return {
    id: jobId,
    state,
    asked: {
      ...(connectionId === undefined ? {} : { connectionId }),
      ...(chat === undefined ? {} : { chat }),
      ...(contact === undefined ? {} : { contact }),
      ...(fromMs === undefined ? {} : { from: toTime(fromMs) }),
      ...(untilMs === undefined ? {} : { until: toTime(untilMs) }),
      media,
    },
    ...(isScheduled === undefined ? {} : { scheduled: isScheduled }),
    counts: { ...counts },
    parts,
    bytes,
    ...(fault === undefined ? {} : { error: { code: fault, sentence: exportFaults[fault] } }),
    createdAt: toTime(createdAtMs),
    ...(endedAtMs === undefined ? {} : { endedAt: toTime(endedAtMs) }),
    ...(endedAtMs === undefined || state !== 'done' ? {} : { keptUntil: toTime(endedAtMs + keptDays * DAY_MS) }),
    ...(hash === undefined ? {} : { manifest: { path: `/v1/exports/${jobId}/files/${MANIFEST}`, sha256: hash } }),
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
