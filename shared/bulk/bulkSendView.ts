import { z } from 'zod';
import { sendStates, type SendState } from '../message/message.ts';
import { bulkSendStates, type BulkCounts, type BulkSend } from './bulkSend.ts';

const at = z.iso.datetime();
const toTime = (ms: number): string => new Date(ms).toISOString();

const countNames = ['waiting', ...(Object.keys(sendStates) as SendState[])] as const;
export const bulkCountsSchema = z.partialRecord(z.enum(countNames), z.number().int()).meta({
  description:
    'How many of its messages are in which state; `waiting` are lines that are no message yet. A state without any is left out.',
  example: { waiting: 9_420, sending: 1, sent: 120, delivered: 455, failed: 4 },
});

export const bulkSendViewSchema = z
  .object({
    id: z.string(),
    status: z.enum(['scheduled', ...bulkSendStates]).meta({
      description:
        '`scheduled` until it may begin. `finished`: each of its messages has ended, by being sent or otherwise.',
    }),
    total: z.number().int(),
    released: z
      .number()
      .int()
      .meta({ description: 'How many of its lines have become messages, which are queued or further.' }),
    counts: bulkCountsSchema.optional(),
    done: z
      .number()
      .int()
      .optional()
      .meta({ description: 'How many of `total` are over: sent, failed, expired, cancelled.' }),
    createdAt: at,
    notBefore: at.optional(),
    expiresAt: at.optional(),
    startedAt: at.optional().meta({ description: 'When its first messages were queued.' }),
    endedAt: at.optional().meta({ description: 'When all of its messages had ended.' }),
    perMinute: z.number().int().optional(),
  })
  .meta({ id: 'BulkSend' });

/** A bulk send as the API shows it. @param counts left out in lists */
export function toBulkSendView(
  bulk: BulkSend,
  counts: BulkCounts | undefined,
  nowMs: number,
): z.infer<typeof bulkSendViewSchema> {
  const { bulkSendId, state, total, createdAtMs, notBeforeMs, expiresAtMs, startedAtMs, endedAtMs, perMinute } = bulk;
  const isEarly = state === 'running' && notBeforeMs !== undefined && notBeforeMs > nowMs;
  return {
    id: bulkSendId,
    status: isEarly ? 'scheduled' : state,
    total,
    released: bulk.released,
    ...(counts === undefined ? {} : { counts: toShownCounts(counts), done: doneOf(counts) }),
    createdAt: toTime(createdAtMs),
    ...(notBeforeMs === undefined ? {} : { notBefore: toTime(notBeforeMs) }),
    ...(expiresAtMs === undefined ? {} : { expiresAt: toTime(expiresAtMs) }),
    ...(startedAtMs === undefined ? {} : { startedAt: toTime(startedAtMs) }),
    ...(endedAtMs === undefined ? {} : { endedAt: toTime(endedAtMs) }),
    ...(perMinute === undefined ? {} : { perMinute }),
  };
}

export function toShownCounts(counts: BulkCounts): z.infer<typeof bulkCountsSchema> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

export function doneOf(counts: BulkCounts): number {
  const { waiting: _waiting, ...states } = counts;
  return Object.entries(states).reduce(
    (sum, [state, count]) => (sendStates[state as SendState] >= sendStates.sent ? sum + count : sum),
    0,
  );
}
