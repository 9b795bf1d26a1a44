import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { integer, part, shape } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

const STATUS_NOTIFICATION = 98;
const kinds: Readonly<Record<number, BodyOf<'status_notification'>['kind']>> = {
  1: 'add_yours',
  2: 'reshare',
  3: 'question_answer_reshare',
  4: 'group_status_reply',
};

export const statusNotification: Understood<BodyOf<'status_notification'>> = inOneField({
  field: STATUS_NOTIFICATION,
  shape: shape({ original: part(2, wireKey), type: integer(3) }),
  toBody: ({ type = 0 }) => ({ kind: kinds[type] ?? 'unknown' }),
  about: ({ original }) => original,
});
