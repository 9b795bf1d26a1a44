import { z } from 'zod';
import { askedAbout } from '../aboutField.ts';
import { always, count, oneOf, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  message_id: said(word(), 'The event.'),
  response: always(oneOf(['going', 'not_going', 'maybe', 'unknown']), 'unknown'),
  extra_guests: said(count(), 'How many others come along.'),
} as const;

/** More than anybody brings along. WhatsApp's own limit is not known; its phones propose one. */
const MOST_GUESTS = 99;

const asked = z
  .strictObject({
    ...askedAbout,
    response: z.enum(['going', 'maybe', 'not_going']),
    extra_guests: z.number().int().min(0).max(MOST_GUESTS).optional(),
  })
  .refine(({ response, extra_guests: guests = 0 }) => guests === 0 || response !== 'not_going', {
    error: 'is for who comes',
    path: ['extra_guests'],
  });

export const eventResponse = {
  description: 'The answer of somebody who was asked to an event. It takes the place of an earlier one.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', response: 'going', extra_guests: 1 },
  ...bodyShape(fields),
  out: { asked, acts: true },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
