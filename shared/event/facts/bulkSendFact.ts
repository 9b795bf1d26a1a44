import { z } from 'zod';
import { bulkSendStates } from '../../bulk/bulkSend.ts';
import { bulkCountsSchema } from '../../bulk/bulkSendView.ts';
import type { BulkSendId } from '../../kernel/id.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { brandedText, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const told = {
  bulkSendId: z.string(),
  status: z.enum(bulkSendStates),
  total: z.number().int(),
  counts: bulkCountsSchema,
} as const;

const schema = z.object({
  ...commonFields,
  kind: z.literal('bulk_send'),
  ...told,
  bulkSendId: brandedText<BulkSendId>(),
});

/** A bulk send was paused or resumed, or is over: recorded on its row before this is published. */
export type BulkSendFact = z.infer<typeof schema>;

const bulkSendStatus = eventRow({
  type: 'bulk_send.status',
  data: z.object(told).meta({ id: 'BulkSendStatusData' }),
  description:
    'A bulk send was paused or resumed, or is over: finished, cancelled or expired, with what has become of its messages.',
  example: {
    bulkSendId: 'blk_01K3C5M7P9R1T3V5X7Z9B1D3F5',
    status: 'finished',
    total: 10_000,
    counts: { sent: 812, delivered: 6_204, read: 2_971, failed: 13 },
  },
});

export const bulkSendFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ bulkSendId, status, total, counts, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(bulkSendStatus, origin, atMs, { bulkSendId, status, total, counts }),
  }),
  events: [bulkSendStatus],
});

/** The key of a change of a bulk send's state. @param changes the number of the change */
export function bulkSendKeyOf(bulkSendId: BulkSendId, changes: number): string {
  return `bulk_send:${bulkSendId}:${changes}`;
}
