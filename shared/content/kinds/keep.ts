import { z } from 'zod';
import { aboutFields, askedAbout } from '../aboutField.ts';
import { always, oneOf } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  ...aboutFields,
  type: always(oneOf(['keep', 'unkeep']), 'keep'),
} as const;

const asked = z.strictObject({ ...askedAbout, type: z.enum(['keep', 'unkeep']) });

export const keep = {
  description: 'A message that would disappear is kept, for everybody in its chat, or no longer.',
  example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', type: 'keep' },
  ...bodyShape(fields),
  out: { asked, acts: true },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
