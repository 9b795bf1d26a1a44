import { always, moment, oneOf, prose, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const fields = {
  channel_id: always(word(), ''),
  name: word(),
  role: always(oneOf(['admin', 'follower']), 'follower'),
  expires_at: moment(),
  caption: prose(),
} as const;

export const channelInvite = {
  description: 'An invitation to follow a channel, or to administer it.',
  example: {
    channel_id: '120363144038483540@newsletter',
    name: 'Acme news',
    role: 'admin',
    expires_at: '2026-12-24T18:00:00.000Z',
    caption: 'Come and write with us',
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
