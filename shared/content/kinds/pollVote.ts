import { z } from 'zod';
import { askedAbout } from '../aboutField.ts';
import { always, count, list, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

/** The UTF-16 units of an option, as in a poll. */
const OPTION_UNITS = 1_024;
/** The most options of a poll that is received; one of ours has fewer. */
const MOST_OPTIONS = 64;

const fields = {
  message_id: said(word(), 'The poll.'),
  voters: said(count(), 'The number of people who have voted, with this vote.'),
  unknown_options: said(
    count(),
    'Options that are chosen and not known here, such as one that was added while the connection was off.',
  ),
  options: always(said(list(prose(OPTION_UNITS)), 'What is chosen now; empty when the vote was taken back.'), []),
  results: said(
    list(record({ votes: always(count(), 0), name: always(prose(OPTION_UNITS), '') })),
    'All options with their votes, with this one.',
  ),
} as const;

const asked = z.strictObject({
  ...askedAbout,
  options: z
    .array(z.string().min(1).max(OPTION_UNITS))
    .max(MOST_OPTIONS)
    .refine((options) => new Set(options).size === options.length, 'must all be different')
    .meta({ description: 'What the account chooses, as the poll has it; none takes its vote back.' }),
});

export const pollVote = {
  description: 'A vote in a poll. It takes the place of an earlier one of the same person.',
  example: {
    message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
    voters: 2,
    options: ['Rice'],
    results: [
      { name: 'Noodles', votes: 1 },
      { name: 'Rice', votes: 1 },
    ],
  },
  ...bodyShape(fields),
  out: { asked, acts: true, example: { message_id: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H', options: ['Rice'] } },
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
