import { always, count, holds, list, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const option = record({ name: always(word(), ''), votes: always(count(), 0) });
const fields = { quiz: holds(), name: always(word(), ''), options: always(list(option), []) } as const;

export const pollResult = {
  description: 'The result of a poll as somebody forwards it.',
  example: {
    name: 'Where to?',
    options: [
      { name: 'Sea', votes: 3 },
      { name: 'Mountains', votes: 1 },
    ],
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
