import { z } from 'zod';
import { eventRow, toDraft } from './eventRow.ts';
import { commonFields, timeMs } from './factField.ts';
import { factRow } from './factRow.ts';

const because = z.enum(['gone', 'failing']);

const schema = z.object({
  ...commonFields,
  kind: z.literal('webhook_disabled'),
  webhookId: z.string().min(1),
  because,
  failingSinceMs: timeMs.optional(),
});

/** A webhook was disabled: recorded on its row before this is published. */
export type WebhookDisabledFact = z.infer<typeof schema>;

const webhookDisabled = eventRow({
  type: 'webhook.disabled',
  data: z
    .object({
      webhookId: z.string(),
      because: because.meta({ description: 'gone: it answered 410. failing: it has taken nothing for five days.' }),
      failingSince: z.iso.datetime().optional(),
    })
    .meta({ id: 'WebhookDisabledData' }),
  description:
    'A webhook was disabled, since its receiver answered 410 or has taken nothing for five days; your other webhooks are told. The connection is that of the event that was posted last.',
  example: {
    webhookId: 'end_01JDT7KZ3V9H2M8Q4S6T1R5N0P',
    because: 'failing',
    failingSince: '2026-11-24T20:00:00.000Z',
  },
});

export const webhookDisabledFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ webhookId, because: cause, failingSinceMs, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(webhookDisabled, origin, atMs, {
      webhookId,
      because: cause,
      ...(failingSinceMs === undefined ? {} : { failingSince: new Date(failingSinceMs).toISOString() }),
    }),
  }),
  events: [webhookDisabled],
});

/** The key of the fact that a webhook was disabled at a time. */
export function webhookDisabledKeyOf(webhookId: string, atMs: number): string {
  return `webhook_disabled:${webhookId}:${atMs}`;
}
