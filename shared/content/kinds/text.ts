import { z } from 'zod';
import { boundCount, boundText } from '../contentBounds.ts';
import type { ContentKind } from '../contentKind.ts';

/** The length of the longest text that WhatsApp's Cloud API accepts, in characters. */
const TEXT_LIMIT = 4_096;

const shown = z.object({
  body: z.string(),
  truncated: z.literal(true).optional().meta({ description: 'The text was longer than what is kept of one.' }),
  length: z
    .number()
    .int()
    .optional()
    .meta({ description: 'Length of the whole text in UTF-16 units, where it is truncated.' }),
});

export const text = {
  description: 'A text.',
  cloud: true,
  example: { body: 'Your order has left.' },
  shown,
  out: { asked: z.strictObject({ body: z.string().min(1).max(TEXT_LIMIT) }) },
  in: {
    bound: ({ body: whole, truncated, length }) => {
      const body = boundText(whole);
      const isWhole = body.length === whole.length && truncated === undefined;
      return isWhole ? { body } : { body, truncated: true, length: boundCount(length ?? whole.length) };
    },
  },
} as const satisfies ContentKind<z.infer<typeof shown>>;
