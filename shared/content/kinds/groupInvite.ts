import { z } from 'zod';
import { time } from '../askedTime.ts';
import { always, holds, moment, prose, said, word } from '../bodyField.ts';
import { bodyShape, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const CAPTION_LIMIT = 1_024;
const NAME_LIMIT = 100;

const fields = {
  group_id: always(said(word(), 'The address of the group, …@g.us.'), ''),
  code: always(said(word(), 'The code by which the reader may join.'), ''),
  expires_at: said(moment(), 'Until when the code may be used.'),
  community: said(holds(), 'The group is a community.'),
  group_name: prose(2 * CAPTION_LIMIT),
  caption: prose(2 * CAPTION_LIMIT),
} as const;

export const groupInvite = {
  description: 'An invitation into a group, for its reader alone.',
  example: {
    group_id: '120363041234567890@g.us',
    code: 'ABcd12EFgh34',
    group_name: 'Shop staff',
    caption: 'Come in.',
    expires_at: '2026-12-24T18:00:00.000Z',
  },
  ...bodyShape(fields),
  out: {
    asked: z.strictObject({
      group_id: z.string().regex(/^\d{1,25}(-\d{1,25})?@g\.us$/, 'must be the address of a group, …@g.us'),
      code: z.string().regex(/^[\w-]{1,64}$/, 'must be the code of an invitation: letters and digits'),
      group_name: z.string().min(1).max(NAME_LIMIT),
      caption: z.string().max(CAPTION_LIMIT).optional(),
      expires_at: time.optional(),
      community: z.literal(true).optional(),
    }),
  },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
