import { count, holds, list, oneOf, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const sticker = record({
  filename: word(),
  mime_type: word(),
  emojis: list(word(64), 16),
  animated: holds(),
  lottie: holds(),
  label: word(),
});
const fields = {
  id: word(),
  name: word(),
  publisher: word(),
  origin: oneOf(['first_party', 'third_party', 'user_created']),
  bytes: said(count(), 'Size of the file that holds all of them.'),
  description: prose(),
  caption: prose(),
  stickers: list(sticker, 128),
} as const;

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
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
