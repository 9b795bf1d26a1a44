import { always, oneOf } from '../bodyField.ts';
import { aboutFields } from '../aboutField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const kinds = ['add_yours', 'reshare', 'question_answer_reshare', 'group_status_reply', 'unknown'] as const;
const fields = { ...aboutFields, kind: always(oneOf(kinds), 'unknown') } as const;

export const statusNotification = {
  description: 'Somebody did something with a status update: added to it, or shared it on.',
  example: { kind: 'reshare' },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
