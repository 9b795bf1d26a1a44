import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { askedFile, namedFileFields } from '../namedFile.ts';
import { videoFields } from '../videoFields.ts';

const fields = { ...videoFields, ...namedFileFields } as const;

export const videoNote = {
  description: 'A short film that was recorded in the chat and shows as a circle.',
  example: {
    mime_type: 'video/mp4',
    sha256: 'yM6xXhYp7a4r9bC1dE2fG3hJ4kL5mN6pQ7rS8tU9vW0=',
    bytes: 412_330,
    width: 400,
    height: 400,
    duration: 8,
  },
  ...bodyShape(fields),
  out: { asked: askedFile(), example: { id: 'med_01K3C5F7XQ4T6V8X0Z2B4D6F8H' } },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
