import { z } from 'zod';
import { BODY_UNITS } from '../bodyShape.ts';
import { boundCount, boundText } from '../contentBounds.ts';
import type { ContentKind } from '../contentKind.ts';
import { linkPreview, linkPreviewShown } from '../linkPreview.ts';
import { visibleText } from '../visibleText.ts';

/** The length of the longest text that WhatsApp's Cloud API accepts, in characters. */
const TEXT_LIMIT = 4_096;

const shown = z.object({
  body: z.string(),
  preview: linkPreviewShown.schema.optional().meta({
    description: 'What readers see of a link in the text. The sender gives it: no page is ever fetched.',
  }),
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
  out: {
    asked: z
      .strictObject({
        body: visibleText(TEXT_LIMIT),
        preview: linkPreview.optional(),
        preview_url: z.boolean().optional().meta({
          description:
            'Accepted from clients of the Cloud API, and without effect: no page is ever fetched. Give `preview`.',
        }),
      })
      .refine(({ body, preview }) => preview === undefined || body.includes(preview.url), {
        error: 'must stand in text.body',
        path: ['preview', 'url'],
      })
      .transform(({ preview_url: _ignored, ...text }) => text),
  },
  in: {
    bound: ({ body: whole, preview: given, truncated, length }) => {
      const body = boundText(whole);
      const isWhole = body.length === whole.length && truncated === undefined;
      const preview = linkPreviewShown.bound(given, { units: Math.max(0, BODY_UNITS - body.length), isCut: false });
      return {
        body,
        ...(preview === undefined ? {} : { preview }),
        ...(isWhole ? {} : { truncated: true, length: boundCount(length ?? whole.length) }),
      };
    },
  },
} as const satisfies ContentKind<z.infer<typeof shown>>;
