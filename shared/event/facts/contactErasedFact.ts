import { z } from 'zod';
import type { ErasureId } from '../../kernel/id.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { brandedText, commonFields } from './factField.ts';
import { factRow } from './factRow.ts';

const told = {
  erasureId: z.string(),
  removed: z
    .record(z.string().max(32), z.number().int().min(0))
    .meta({ description: 'How much was removed, by what it was.' }),
  unfinished: z
    .number()
    .int()
    .meta({ description: 'Messages to the person that had not ended, and stay: cancel them, and erase once more.' }),
} as const;

const schema = z.object({
  ...commonFields,
  kind: z.literal('contact_erased'),
  ...told,
  erasureId: brandedText<ErasureId>(),
});

/** A person was erased on all connections of a tenant: recorded on the row of the erasure before this is published. */
export type ContactErasedFact = z.infer<typeof schema>;

const contactErased = eventRow({
  type: 'contact.erased',
  data: z.object(told).meta({ id: 'ContactErasedData' }),
  description:
    'A person was erased on all connections, as you asked; the receipt is `GET /v1/contact-erasures/{id}`. The event does not say who: by now nobody here knows. The connection is the first one that was looked at.',
  example: {
    erasureId: 'ers_01K3C5M7P9R1T3V5X7Z9B1D3F5',
    removed: { messages: 214, versions: 3, files: 12, chats: 2, contacts: 2, numbers: 2 },
    unfinished: 0,
  },
});

export const contactErasedFact = factRow({
  schema,
  writtenBy: 'us',
  people: [],
  decide: ({ erasureId, removed, unfinished, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(contactErased, origin, atMs, { erasureId, removed, unfinished }),
  }),
  events: [contactErased],
});

/** The key of the end of an erasure, which has one. */
export function contactErasedKeyOf(erasureId: ErasureId): string {
  return `contact_erased:${erasureId}`;
}
