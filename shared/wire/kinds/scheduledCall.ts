import type { BodyOf } from '../../content/content.ts';
import { toMoment } from '../moment.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { integer, part, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { wireKey } from '../wireKey.ts';

type Body = BodyOf<'scheduled_call'>;

const CREATION = 61;
const EDIT = 65;
const VIDEO = 2;
const CANCEL = 1;

export const scheduledCall: Understood<Body> = inFields<Body>([
  fieldOf({
    field: CREATION,
    shape: shape({ startsAt: integer(1), type: integer(2), title: text(3) }),
    toBody: ({ startsAt, type, title }): Body => ({
      starts_at: toMoment(startsAt),
      video: type === VIDEO ? true : undefined,
      title,
    }),
  }),
  fieldOf({
    field: EDIT,
    shape: shape({ key: part(1, wireKey), type: integer(2) }),
    toBody: ({ type }): Body => ({ canceled: type === CANCEL ? true : undefined }),
    about: ({ key }) => key,
  }),
]);
