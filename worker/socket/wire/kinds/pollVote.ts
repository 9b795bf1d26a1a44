import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { aboutOf, sealedFor, type Spoken } from '../spokenKind.ts';

/** WhatsApp's clients say beside a vote that it is one. */
const VOTE_NODE = { tag: 'meta', attrs: { polltype: 'vote' } } as const;

/** A vote names each option by its hash; one without any takes the vote back. */
export const pollVote = {
  toWire: ({ options }, context) => {
    const about = aboutOf(context);
    const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
    const vote = sealedFor(about, 'vote', proto.Message.PollVoteMessage.encode({ selectedOptions }).finish());
    return {
      message: {
        pollUpdateMessage: { pollCreationMessageKey: about.key, vote, senderTimestampMs: about.actedAtMs },
      },
      nodes: [VOTE_NODE],
    };
  },
} as const satisfies Spoken<AskedOf<'poll_vote'>>;
