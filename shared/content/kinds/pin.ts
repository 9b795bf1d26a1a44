import { aboutFields } from '../aboutField.ts';
import { always, count, oneOf, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  type: always(oneOf(['pin', 'unpin']), 'pin'),
  expiration_days: said(count(), 'The days after which it is no longer pinned.'),
} as const;

export const pin = {
  description: 'A message is pinned to the top of its chat, for everybody in it, or no longer.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', type: 'pin', expiration_days: 7 },
  cloud: true,
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
