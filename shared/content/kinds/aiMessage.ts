import { always, holds, list, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const row = record({ items: list(word(), 32), heading: holds() });
const fields = {
  text: prose(32_768),
  code: list(record({ language: word(64), text: always(prose(16_384), '') }), 16),
  tables: list(record({ title: word(), rows: list(row) }), 8),
  data: said(prose(32_768), 'What its app draws it from, where it has no text.'),
} as const;

export const aiMessage = {
  description: 'The answer of an assistant.',
  example: {
    text: 'This sorts a list:',
    code: [{ language: 'python', text: 'sorted(items)' }],
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
