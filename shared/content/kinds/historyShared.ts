import { count, holds, list, moment, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  messages: count(),
  oldest_at: moment(),
  bundle: said(holds(), 'The messages lie in a file beside it; else it only says that they were shared.'),
  receivers: said(list(word(), 256), 'The addresses of those for whom they are.'),
} as const;

export const historyShared = {
  description: 'Older messages of a group, which a member shares with somebody who is new in it.',
  example: {
    messages: 80,
    oldest_at: '2026-11-20T09:00:00.000Z',
    bundle: true,
    receivers: ['236471520047@lid'],
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
