import { holds, moment, prose, wholeText, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  event_id: word(),
  name: word(),
  starts_at: moment(),
  ends_at: moment(),
  call_link: wholeText(),
  canceled: holds(),
  caption: prose(),
} as const;

export const eventInvite = {
  description: 'An invitation to an event of another chat.',
  example: {
    event_id: '3EB0C767D097B7B3E5D1',
    name: 'Office party',
    starts_at: '2026-12-24T18:00:00.000Z',
    caption: 'Bring a hat.',
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
