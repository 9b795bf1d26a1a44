import { holds, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { areaFields, fileFields } from '../fileFields.ts';
import { askedFile, namedFileFields } from '../namedFile.ts';

const fields = {
  ...fileFields,
  ...areaFields,
  animated: holds(),
  lottie: said(holds(), 'It is a Lottie animation and no picture.'),
  avatar: said(holds(), 'It shows the avatar of its sender.'),
  ai_generated: holds(),
  emojis: said(word(), 'The emoji that it stands for.'),
  label: said(word(), 'What it shows, in words for those who cannot see it.'),
  ...namedFileFields,
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
  out: { asked: askedFile(), example: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H' } },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
