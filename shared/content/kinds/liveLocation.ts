import { always, count, decimal, prose, said } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  latitude: always(decimal(-90, 90), 0),
  longitude: always(decimal(-180, 180), 0),
  accuracy: said(count(), 'In metres.'),
  speed: said(decimal(0, 1_000_000), 'In metres a second.'),
  heading: said(count(), 'In degrees, clockwise from magnetic north.'),
  sequence: said(count(), 'Grows with each place of one share.'),
  caption: prose(),
} as const;

export const liveLocation = {
  description: 'A place that moves on: the newest one that WhatsApp has brought; `trail` has those before it.',
  example: { latitude: 52.520_008, longitude: 13.404_954, accuracy: 12, speed: 1.4, heading: 90, sequence: 1 },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
