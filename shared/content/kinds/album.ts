import { z } from 'zod';
import { always, count, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  images: always(said(count(), 'How many pictures its sender announced.'), 0),
  videos: always(said(count(), 'How many films its sender announced.'), 0),
} as const;

export const album = {
  description:
    'The beginning of an album. Its pictures and films become its `parts`; there may be fewer than announced.',
  example: { images: 3, videos: 1 },
  ...bodyShape(fields),
  out: { asked: z.strictObject({ images: z.number().int().min(0), videos: z.number().int().min(0) }), made: true },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
