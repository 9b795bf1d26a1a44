import { z } from 'zod';
import { MOST_VIEWERS } from './audience.ts';

/** The fonts of a status, by WhatsApp's own numbers (`ExtendedTextMessage.FontType`). */
export const statusFonts = [0, 1, 2, 6, 7, 8, 9, 10] as const;
/** The types of content that a status can have. */
export const statusTypes: ReadonlySet<string> = new Set(['text', 'image', 'video', 'audio']);
const COLOR = /^#[0-9a-f]{6}$/i;

/** What a request says of a status beside its content. */
export const statusField = z.strictObject({
  audience: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(MOST_VIEWERS)
    .meta({
      description: `The people who may see it, as \`to\` names them: 1 to ${MOST_VIEWERS}. Nobody else gets it.`,
    }),
  background_color: z
    .string()
    .regex(COLOR, 'must be a color like #1f7aec')
    .optional()
    .meta({ description: 'The color behind the text; a dark green when left out.', example: '#1f7aec' }),
  font: z
    .union(
      statusFonts.map((font) => z.literal(font)),
      { error: `must be one of ${statusFonts.join(', ')}` },
    )
    .optional()
    .meta({ description: `The font of the text, by WhatsApp's number; 0 when left out.` }),
});

const audience = ['+49 151 23456789', '236471520047@lid'];

/** What an example of a request says of a status of a type: only a text has a look. */
export function statusExampleOf(type: string): z.input<typeof statusField> {
  return type === 'text' ? { audience, background_color: '#1f7aec', font: 2 } : { audience };
}
