import { z } from 'zod';
import type { ExportId } from '../../kernel/id.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { brandedText, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const fault = z.enum(['too_large', 'not_possible']);
const counts = z.record(z.string().max(32), z.number().int().min(0));
const told = {
  exportId: z.string(),
  counts: counts.meta({ description: 'The number of its lines by their kind.' }),
  parts: z.number().int(),
  bytes: z.number().int().meta({ description: 'Of all its files.' }),
} as const;

const schema = z.object({
  ...commonFields,
  kind: z.literal('export_end'),
  ...told,
  exportId: brandedText<ExportId>(),
  fault: fault.optional(),
});

/** An export is done, or has failed: recorded on its row before this is published. */
export type ExportEndFact = z.infer<typeof schema>;

const exportDone = eventRow({
  type: 'export.done',
  data: z.object(told).meta({ id: 'ExportDoneData' }),
  description:
    'An export is done: its files can be fetched until `keptUntil`. The connection is the first one that it came to; where you have none, there is no event.',
  example: {
    exportId: 'exp_01K3C5M7P9R1T3V5X7Z9B1D3F5',
    counts: { connection: 3, message: 50_000, version: 112, chat: 500, contact: 498, number: 431 },
    parts: 13,
    bytes: 9_482_113,
  },
});
const exportFailed = eventRow({
  type: 'export.failed',
  data: z.object({ exportId: z.string(), error: z.object({ code: fault }) }).meta({ id: 'ExportFailedData' }),
  description: 'An export cannot be made. `error` of `GET /v1/exports/{id}` says why, and what to do.',
  example: { exportId: 'exp_01K3C5M7P9R1T3V5X7Z9B1D3F5', error: { code: 'too_large' } },
});

export const exportEndFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ exportId, counts: lines, parts, bytes, fault: code, atMs }, { origin }) => ({
    plan: 'stored',
    draft:
      code === undefined
        ? toDraft(exportDone, origin, atMs, { exportId, counts: lines, parts, bytes })
        : toDraft(exportFailed, origin, atMs, { exportId, error: { code } }),
  }),
  events: [exportDone, exportFailed],
});

/** The key of the end of an export, which has one. */
export function exportEndKeyOf(exportId: ExportId): string {
  return `export_end:${exportId}`;
}
