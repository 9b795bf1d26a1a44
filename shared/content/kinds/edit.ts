import { z } from 'zod';
import { askedAbout } from '../aboutField.ts';
import type { ContentKind } from '../contentKind.ts';
import { CAPTION_CHARACTERS } from '../namedFile.ts';
import { visibleText } from '../visibleText.ts';

const TEXT_CHARACTERS = 4_096;

const body = z.object({
  ...askedAbout,
  text: z
    .strictObject({ body: visibleText(TEXT_CHARACTERS) })
    .optional()
    .meta({ description: 'What a text says from now on.' }),
  caption: z
    .string()
    .max(CAPTION_CHARACTERS)
    .optional()
    .meta({ description: 'What stands under a picture, film or file from now on.' }),
});
const asked = body.strict().refine(({ text, caption }) => (text === undefined) !== (caption === undefined), {
  error: 'must have either text or caption',
});

export const edit = {
  description:
    'A text or a caption of your own says something else. The message itself shows it once WhatsApp has it, and keeps each version.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', text: { body: 'At nine?' } },
  shown: body,
  out: { asked, acts: true },
} as const satisfies ContentKind<z.infer<typeof body>>;
