import { always, prose } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { BODY_UNITS, bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = { ...aboutFields, text: always(prose(BODY_UNITS), '') } as const;

export const statusAnswer = {
  description: 'The answer to a question in a status update or a channel.',
  example: { text: 'In summer' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
