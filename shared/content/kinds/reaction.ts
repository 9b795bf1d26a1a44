import { z } from 'zod';
import { aboutFields, askedAbout } from '../aboutField.ts';
import { said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  emoji: said(word(), 'Absent where an earlier reaction of the same person is taken back.'),
} as const;

/** The longest emoji in UTF-16 units: a family with skin tones has some thirty. */
const EMOJI_UNITS = 64;
const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const PICTURE = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20E3/u;

/** WhatsApp shows a reaction of one emoji, and no other. */
function isOneEmoji(text: string): boolean {
  return PICTURE.test(text) && [...characters.segment(text)].length === 1;
}

const asked = z.strictObject({
  ...askedAbout,
  emoji: z
    .string()
    .max(EMOJI_UNITS)
    .refine((text) => text === '' || isOneEmoji(text), 'must be one emoji, or empty to take the reaction back')
    .meta({ description: 'One emoji; empty takes the reaction back.' }),
});

export const reaction = {
  description: 'An emoji on a message. Each person has one on a message: a later one takes its place.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', emoji: '👍' },
  cloud: true,
  ...bodyShape(fields),
  out: { asked, acts: true },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
