import { holds, said, word } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  sticker: said(word(), "WhatsApp's key of the sticker."),
  reaction: said(holds(), 'It is a reaction.'),
} as const;

export const statusSticker = {
  description: 'Somebody touched a sticker in a status update.',
  example: { sticker: 'heart', reaction: true },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
