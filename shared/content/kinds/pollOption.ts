import { always, list, prose, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const OPTION_UNITS = 1_024;

const fields = {
  message_id: said(word(), 'The poll.'),
  options: always(list(prose(OPTION_UNITS)), []),
} as const;

export const pollOption = {
  description: 'Somebody has added options to a poll that lets others do so.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', options: ['Soup'] },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
