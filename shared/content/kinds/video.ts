import { holds, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { caption } from '../fileFields.ts';
import { videoFields } from '../videoFields.ts';
import { askedFile, namedFileFields } from '../namedFile.ts';

const fields = {
  ...videoFields,
  gif: said(holds(), 'It is played like a GIF: without sound, again and again.'),
  caption,
  ...namedFileFields,
} as const;

export const video = {
  description: 'A film, also one that is played like a GIF.',
  cloud: true,
  example: {
    mime_type: 'video/mp4',
    sha256: 'q1Zj3pWzqVbJm3N2mXvZrQ0m0m9yqYV7J8t0pJxkz2E=',
    bytes: 1_204_551,
    width: 848,
    height: 480,
    duration: 12,
    caption: 'The noise that it makes',
  },
  ...bodyShape(fields),
  out: {
    asked: askedFile('caption', 'view_once', 'gif'),
    example: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H', caption: 'The noise that it makes' },
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
