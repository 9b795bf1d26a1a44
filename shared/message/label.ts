import { z } from 'zod';

/** Labels of a business, by which it sorts its chats. WhatsApp's own apps have twenty of them, in twenty colours. */
export const MOST_LABELS = 20;
export const MOST_COLORS = 20;

/** Whether a text can be the id of a label. WhatsApp's apps number them; a device may write anything. */
export function isLabelId(text: string): boolean {
  return /^[\w-]{1,32}$/.test(text);
}

export const labelSchema = z
  .object({
    id: z.string().meta({ description: "WhatsApp's id of it, the same on all devices of the account.", example: '7' }),
    name: z.string(),
    color: z
      .number()
      .int()
      .optional()
      .meta({ description: `The number of its colour, 0 to ${MOST_COLORS - 1}, where it has one that is known.` }),
  })
  .meta({ id: 'Label', description: 'A label for chats and messages of a business.' });
export type Label = z.infer<typeof labelSchema>;

export const exampleLabel: Label = { id: '7', name: 'To be paid', color: 3 };
