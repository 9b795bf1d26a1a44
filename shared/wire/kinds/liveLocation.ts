import type { BodyOf } from '../../content/content.ts';
import { inOneField } from '../oneField.ts';
import { double, float, integer, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const LIVE_LOCATION = 18;

export const liveLocation: Understood<BodyOf<'live_location'>> = inOneField({
  field: LIVE_LOCATION,
  shape: shape({
    latitude: double(1),
    longitude: double(2),
    accuracy: integer(3),
    speed: float(4),
    heading: integer(5),
    caption: text(6),
    sequence: integer(7),
  }),
  context: 17,
  toBody: ({ latitude = 0, longitude = 0, ...others }) => ({ latitude, longitude, ...others }),
});
