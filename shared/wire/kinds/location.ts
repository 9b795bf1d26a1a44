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
    return latitude === undefined || longitude === undefined ? 'nothing' : present({ latitude, longitude, ...others });
  },
} as const satisfies Understood<BodyOf<'location'>>;
