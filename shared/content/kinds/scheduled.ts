import { aboutFields } from '../aboutField.ts';
import { holds, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  key_id: said(word(), "WhatsApp's name of the key that opens it."),
  canceled: said(holds(), 'It called off another one, which nobody will read.'),
} as const;

export const scheduled = {
  description:
    'A message that nobody can read yet: its key comes at a time that its writer chose. It is kept until then.',
  example: { key_id: 'AQIDBA' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
