import { z } from 'zod';
import { always, count, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { OPTION_ID_UNITS, optionId } from '../interactiveFields.ts';

const fields = {
  payload: always(said(optionId, 'The id of the button.'), ''),
  text: always(word(), ''),
  index: said(count(), 'The place of the button, from 0 on.'),
  card: said(count(), 'The place of its card, from 0 on, in a carousel.'),
} as const;

const asked = z.strictObject({
  payload: z.string().min(1).max(OPTION_ID_UNITS).meta({ description: 'The id of the button.' }),
  text: z.string().max(512).default('').meta({ description: 'May be left out: it is what the template has.' }),
  index: z.number().int().min(0).optional(),
});

export const button = {
  description: 'What somebody chose of the buttons of a template, which `context` names where it is sent.',
  cloud: true,
  example: { payload: 'track-2041', text: 'Track the order', index: 0 },
  ...bodyShape(fields),
  out: { asked, answers: true },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
