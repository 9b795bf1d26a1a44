import { z } from 'zod';
import { contactSchema, toContact } from '../../shared/message/party.ts';
import type { Message } from '../../shared/message/message.ts';
import { OWN_VOTE, pollIn, resultsOf } from '../../shared/message/pollVotes.ts';

export const pollViewSchema = z
  .object({
    messageId: z.string(),
    name: z.string().meta({ description: 'The question.' }),
    voters: z.number().int().meta({ description: 'The number of people who have voted.' }),
    options: z.array(
      z.object({
        name: z.string(),
        votes: z.number().int(),
        voters: z.array(contactSchema).meta({ description: 'Who chose it; the account itself is not among them.' }),
        ownVote: z.literal(true).optional().meta({ description: 'The account itself chose it.' }),
      }),
    ),
  })
  .meta({ id: 'PollResults' });

export const POLL_EXAMPLE = {
  messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H',
  name: 'Lunch?',
  voters: 2,
  options: [
    { name: 'Noodles', votes: 1, voters: [], ownVote: true },
    {
      name: 'Rice',
      votes: 1,
      voters: [{ id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' }],
    },
  ],
} as const;

/** How a poll stands; undefined for a message that is none. */
export function toPollView(message: Message): z.infer<typeof pollViewSchema> | undefined {
  const poll = pollIn(message.content);
  if (poll === undefined) return undefined;
  const votes = message.votes ?? {};
  return {
    messageId: message.messageId,
    name: poll.name,
    voters: Object.keys(votes).length,
    options: resultsOf(poll, votes).map(({ name, voters }) => ({
      name,
      votes: voters.length,
      voters: voters.filter((names) => !names.includes(OWN_VOTE)).map((names) => toContact(...names)),
      ...(voters.some((names) => names.includes(OWN_VOTE)) ? { ownVote: true } : {}),
    })),
  };
}
