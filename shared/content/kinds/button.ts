import { always, count, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { optionId } from '../interactiveFields.ts';

const fields = {
  payload: always(said(optionId, 'The id of the button.'), ''),
  text: always(word(), ''),
  index: said(count(), 'The place of the button, from 0 on.'),
  card: said(count(), 'The place of its card, from 0 on, in a carousel.'),
} as const;

export const button = {
  description: 'What somebody chose of the buttons of a template.',
  cloud: true,
  example: { payload: 'track-2041', text: 'Track the order', index: 0 },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
