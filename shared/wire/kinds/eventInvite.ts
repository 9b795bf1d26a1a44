import type { BodyOf } from '../../content/content.ts';
import { toMoment } from '../moment.ts';
import { inOneField } from '../oneField.ts';
import { flag, integer, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const EVENT_INVITE = 122;

export const eventInvite: Understood<BodyOf<'event_invite'>> = inOneField({
  field: EVENT_INVITE,
  shape: shape({
    id: text(2),
    name: text(3),
    startsAt: integer(5),
    caption: text(6),
    canceled: flag(7),
    endsAt: integer(8),
    callLink: text(9),
  }),
  context: 1,
  toBody: ({ id, name, startsAt, endsAt, callLink, canceled, caption }) => ({
    event_id: id,
    name,
    starts_at: toMoment(startsAt),
    ends_at: toMoment(endsAt),
    call_link: callLink,
    canceled,
    caption,
  }),
});
