import { holds, moment, word } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = { ...aboutFields, starts_at: moment(), video: holds(), canceled: holds(), title: word() } as const;

export const scheduledCall = {
  description: 'A call that is planned, or one that is called off.',
  example: { starts_at: '2026-12-24T18:00:00.000Z', video: true, title: 'Planning' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
