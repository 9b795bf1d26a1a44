import { z } from 'zod';
import { count, holds, list, oneOf, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { askedBeside, askedName, namedFileFields } from '../namedFile.ts';

const sticker = record({
  filename: word(),
  mime_type: word(),
  emojis: list(word(64), 16),
  animated: holds(),
  lottie: holds(),
  label: word(),
});
const fields = {
  id: said(
    word(),
    'Of one that came: of the pack, by WhatsApp. Of what you sent: the file, as `GET /v1/media/{id}` knows it.',
  ),
  name: word(),
  publisher: word(),
  origin: oneOf(['first_party', 'third_party', 'user_created']),
  bytes: said(count(), 'Size of the file that holds all of them.'),
  description: prose(),
  caption: prose(),
  stickers: list(sticker, 128),
  link: namedFileFields.link,
} as const;

const NAME_CHARACTERS = 128;
const DESCRIPTION_CHARACTERS = 512;
const asked = z
  .strictObject({
    ...askedName,
    name: z.string().min(1).max(NAME_CHARACTERS),
    publisher: z.string().min(1).max(NAME_CHARACTERS),
    description: z.string().min(1).max(DESCRIPTION_CHARACTERS).optional(),
    caption: askedBeside.caption,
  })
  .refine(({ id, link }) => (id === undefined) !== (link === undefined), {
    error: 'must have either id or link',
    path: ['id'],
  }) as unknown as z.ZodType<BodyOfShape<typeof fields>>;

export const stickerPack = {
  description: 'A pack of stickers.',
  example: {
    id: 'b6a2c5f0-3b1d-4f6e-9a57-0c8e1d2f3a4b',
    name: 'Good morning',
    publisher: 'Ada',
    origin: 'user_created',
    bytes: 402_113,
    stickers: [{ filename: '1.webp', mime_type: 'image/webp', emojis: ['☕'] }],
  },
  ...bodyShape(fields),
  out: {
    asked,
    example: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H', name: 'Good morning', publisher: 'Ada' },
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
