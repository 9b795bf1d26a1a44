import { holds, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { areaFields, fileFields } from '../fileFields.ts';

const fields = {
  ...fileFields,
  ...areaFields,
  animated: holds(),
  lottie: said(holds(), 'It is a Lottie animation and no picture.'),
  avatar: said(holds(), 'It shows the avatar of its sender.'),
  ai_generated: holds(),
  emojis: said(word(), 'The emoji that it stands for.'),
  label: said(word(), 'What it shows, in words for those who cannot see it.'),
} as const;

export const sticker = {
  description: 'A sticker.',
  cloud: true,
  example: {
    mime_type: 'image/webp',
    sha256: 'b7F2kS9vQ1x4Zr6Tn8Yw0Eu3Ip5Ao7Ds9Fg1Hj3Kl5M=',
    bytes: 18_204,
    width: 512,
    height: 512,
    animated: true,
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
