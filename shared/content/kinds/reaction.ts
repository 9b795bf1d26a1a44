import { aboutFields } from '../aboutField.ts';
import { said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  emoji: said(word(), 'Absent where an earlier reaction of the same person is taken back.'),
} as const;

export const reaction = {
  description: 'An emoji on a message. Each person has one on a message: a later one takes its place.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', emoji: '👍' },
  cloud: true,
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
