import { always, prose, said } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { BODY_UNITS, bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  text: always(said(prose(BODY_UNITS), 'Its words, or those beside a picture, film or file.'), ''),
} as const;

export const comment = {
  description: 'A comment on a message of a community or a channel.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', text: 'Count me in' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
