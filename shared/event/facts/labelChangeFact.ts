import { z } from 'zod';
import { wellFormed } from '../../content/contentBounds.ts';
import { firstCharacters } from '../../kernel/firstCharacters.ts';
import { exampleLabel, labelSchema } from '../../message/label.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { factBounds } from './factBounds.ts';
import { commonFields, fitted, whatsAppId } from './factField.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('label_change'),
  labelId: whatsAppId,
  name: fitted(z.string(), (text) => firstCharacters(wellFormed(text), factBounds.nameCharacters)).optional(),
  color: z.number().int().min(0).optional(),
  isDeleted: z.boolean(),
});

/** One of the account's own devices, or this connection, has made, changed or deleted a label. */
export type LabelChangeFact = z.infer<typeof schema>;

const labelUpdated = eventRow({
  type: 'label.updated',
  data: z
    .object({
      label: labelSchema.partial({ name: true }),
      deleted: z.boolean().meta({ description: 'Whether it is deleted; its name may be absent then.' }),
    })
    .meta({ id: 'LabelUpdatedData' }),
  description: 'A label is new, changed, or deleted: on the phone, another device, or here. It is told as it is now.',
  example: { label: exampleLabel, deleted: false },
});

export const labelChangeFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [],
  decide: ({ atMs, labelId: id, name, color, isDeleted: deleted }, { origin }) => {
    const label = { id, ...(name === undefined ? {} : { name }), ...(color === undefined ? {} : { color }) };
    return { plan: 'stored', draft: toDraft(labelUpdated, origin, atMs, { label, deleted }) };
  },
  events: [labelUpdated],
});
