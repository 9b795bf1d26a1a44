import { always, oneOf, prose } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { BODY_UNITS, bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  kind: always(oneOf(['question_answer', 'unknown']), 'unknown'),
  text: always(prose(BODY_UNITS), ''),
} as const;

export const statusQuoted = {
  description: 'A status update that quotes another one, such as the answer to a question.',
  example: { kind: 'question_answer', text: 'In summer' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
