import { z } from 'zod';
import { always, decimal, prose, said, wholeText } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { degrees } from '../degrees.ts';

const TEXT_LIMIT = 1_024;

const fields = {
  latitude: always(decimal(-90, 90), 0),
  longitude: always(decimal(-180, 180), 0),
  name: prose(2 * TEXT_LIMIT),
  address: prose(2 * TEXT_LIMIT),
  url: said(wholeText(), 'The page of the place.'),
} as const;

export const location = {
  description: 'A place.',
  cloud: true,
  example: { latitude: 52.516275, longitude: 13.377704, name: 'Brandenburger Tor', address: 'Pariser Platz, Berlin' },
  ...bodyShape(fields),
  out: {
    asked: z.strictObject({
      latitude: degrees(90),
      longitude: degrees(180),
      name: z.string().max(TEXT_LIMIT).optional(),
      address: z.string().max(TEXT_LIMIT).optional(),
      url: z
        .url({ protocol: /^https?$/ })
        .max(TEXT_LIMIT)
        .optional(),
    }),
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
