import type { BodyOf } from '../../content/content.ts';
import { present } from '../present.ts';
import { flag, integer, part, readField, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { toMoment } from '../moment.ts';
import { locationShape } from './location.ts';

const EVENT = 75;

const eventShape = shape({
  canceled: flag(2),
  name: text(3),
  description: text(4),
  location: part(5, locationShape),
  callLink: text(6),
  startsAt: integer(7),
  endsAt: integer(8),
  extraGuests: flag(9),
});

export const event = {
  fields: [EVENT],
  context: 1,
  fromWire: (parts) => {
    const read = readField(eventShape, parts.get(EVENT));
    if (read === 'malformed') return read;
    if (Object.keys(read).length === 0) return 'nothing';
    const { name, address, latitude, longitude } = read.location ?? {};
    const place = present({ name, address, latitude, longitude });
    return present({
      name: read.name ?? '',
      description: read.description,
      location: Object.keys(place).length === 0 ? undefined : place,
      starts_at: toMoment(read.startsAt),
      ends_at: toMoment(read.endsAt),
      call_link: read.callLink,
      extra_guests: read.extraGuests,
      canceled: read.canceled,
    });
  },
} as const satisfies Understood<BodyOf<'event'>>;
