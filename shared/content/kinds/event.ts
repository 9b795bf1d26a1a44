import { z } from 'zod';
import { time } from '../askedTime.ts';
import { always, decimal, holds, moment, prose, said, wholeText } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';
import { degrees } from '../degrees.ts';
import { visibleText } from '../visibleText.ts';

/** WhatsApp's own limits of an event. */
const NAME_LIMIT = 100;
const DESCRIPTION_LIMIT = 2_048;
const PLACE_LIMIT = 1_024;
/** The UTF-16 units of a received name, and of each part of its place. */
const RECEIVED_UNITS = 2_048;
/** The pages of calls, which everybody with the link may join. */
const CALL_LINK = /^https:\/\/call\.whatsapp\.com\/(voice|video)\/[\w-]{1,100}$/;

const fields = {
  starts_at: said(moment(), 'To the second.'),
  ends_at: moment(),
  extra_guests: said(holds(), 'Those who come may bring somebody.'),
  canceled: said(holds(), 'It does not take place.'),
  call_link: said(wholeText(), 'The link of a call, https://call.whatsapp.com/video/…'),
  name: always(prose(RECEIVED_UNITS), ''),
  location: record({
    latitude: decimal(-90, 90),
    longitude: decimal(-180, 180),
    name: prose(RECEIVED_UNITS),
    address: prose(RECEIVED_UNITS),
  }),
  description: prose(),
} as const;

const place = z.strictObject({
  name: z.string().min(1).max(PLACE_LIMIT),
  address: z.string().max(PLACE_LIMIT).optional(),
  latitude: degrees(90).optional(),
  longitude: degrees(180).optional(),
});
const asked = z
  .strictObject({
    name: visibleText(NAME_LIMIT),
    description: z.string().max(DESCRIPTION_LIMIT).optional(),
    location: place
      .refine(({ latitude, longitude }) => (latitude === undefined) === (longitude === undefined), {
        error: 'must have both latitude and longitude, or neither',
      })
      .optional(),
    starts_at: time,
    ends_at: time.optional(),
    call_link: z
      .string()
      .regex(CALL_LINK, 'must be the link of a call: https://call.whatsapp.com/video/… or …/voice/…')
      .optional(),
    extra_guests: z.literal(true).optional(),
  })
  .refine(({ starts_at: start, ends_at: end }) => end === undefined || Date.parse(end) > Date.parse(start), {
    error: 'must be after starts_at',
    path: ['ends_at'],
  });

export const event = {
  description: 'Something that people come to, with an answer from each.',
  example: {
    name: 'Office party',
    description: 'Bring a hat.',
    location: { name: 'The roof', latitude: 52.516275, longitude: 13.377704 },
    starts_at: '2036-12-24T18:00:00.000Z',
    ends_at: '2036-12-24T22:00:00.000Z',
    call_link: 'https://call.whatsapp.com/video/Ab12Cd34Ef56',
    extra_guests: true,
  },
  ...bodyShape(fields),
  out: { asked },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
