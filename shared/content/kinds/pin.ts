import { z } from 'zod';
import { aboutFields, askedAbout } from '../aboutField.ts';
import { always, count, oneOf, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  type: always(oneOf(['pin', 'unpin']), 'pin'),
  expiration_days: said(count(), 'The days after which it is no longer pinned.'),
} as const;

/** The days that WhatsApp's clients offer. */
const DAYS = [1, 7, 30] as const;

const asked = z
  .strictObject({
    ...askedAbout,
    type: z.enum(['pin', 'unpin']),
    expiration_days: z
      .union(
        DAYS.map((days) => z.literal(days)),
        { error: `must be one of ${DAYS.join(', ')}` },
      )
      .optional()
      .meta({ description: 'The days after which it is no longer pinned; 7 when left out.' }),
  })
  .refine(({ type, expiration_days: days }) => type === 'pin' || days === undefined, {
    path: ['expiration_days'],
    message: 'is for a pin only',
  });

export const pin = {
  description: 'A message is pinned to the top of its chat, for everybody in it, or no longer.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', type: 'pin', expiration_days: 7 },
  cloud: true,
  ...bodyShape(fields),
  out: { asked, acts: true },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
