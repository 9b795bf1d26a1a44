import type { BodyOf } from '../../content/content.ts';
import { present } from '../present.ts';
import { double, readField, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const LOCATION = 5;

export const locationShape = shape({
  latitude: double(1),
  longitude: double(2),
  name: text(3),
  address: text(4),
  url: text(5),
});

export const location = {
  fields: [LOCATION],
  context: 17,
  fromWire: (parts) => {
    const read = readField(locationShape, parts.get(LOCATION));
    if (read === 'malformed') return read;
    const { latitude, longitude, ...others } = read;
    // Degrees that are nowhere on earth are no place: to show another one would be worse than to show none.
    if (latitude === undefined || longitude === undefined) return 'nothing';
    return Math.abs(latitude) > 90 || Math.abs(longitude) > 180
      ? 'nothing'
      : present({ latitude, longitude, ...others });
  },
} as const satisfies Understood<BodyOf<'location'>>;
