import { boundContent, type InboundContent } from '../../content/content.ts';
import type { ConnectionId } from '../../kernel/id.ts';
import { isLid } from '../../kernel/jid.ts';
import type { Message } from '../../message/message.ts';
import { chosenOf, OWN_VOTE, pollIn, resultsOf, withVote } from '../../message/pollVotes.ts';
import { hashOfOption } from '../../wire/openedKinds.ts';
import { messageKey } from '../../platform/keys.ts';
import { choiceByVote } from './choiceFact.ts';
import type { RowChange } from './factRow.ts';
import type { FoundOriginal } from './originalRule.ts';
import type { OpenedFact } from './sealedFact.ts';

/** What a message does to the one that it is about, beside being a message itself. */
export interface Counted {
  readonly content: InboundContent;
  readonly changes: readonly RowChange[];
}

/**
 * Counts a vote on the row of its poll, and adds what somebody adds to it. A run that is made again finds its own vote
 * there, and comes to the same; of two that count at once one is refused by the condition on the row, and reads anew.
 */
export function countOnOriginal(
  fact: OpenedFact,
  content: InboundContent,
  found: FoundOriginal | undefined,
  connectionId: ConnectionId,
): Counted {
  if (found === undefined) return { content, changes: [] };
  if (content.type === 'poll_vote') return countVote(fact, content.poll_vote, found, connectionId);
  if (content.type === 'poll_option') return addOptions(fact, content, found, connectionId);
  return { content, changes: [] };
}

function countVote(
  fact: OpenedFact,
  body: Extract<InboundContent, { type: 'poll_vote' }>['poll_vote'],
  { messageId, message }: FoundOriginal,
  connectionId: ConnectionId,
): Counted {
  const poll = pollIn(message.content);
  if (poll === undefined) return { content: { type: 'poll_vote', poll_vote: body }, changes: [] };
  const { chosen = [] } = fact;
  const { known, unknown } = chosenOf(poll, chosen);
  const votes = withVote(message.votes ?? {}, { voter: votersOf(fact), chosen });
  const results = resultsOf(poll, votes).map(({ name, voters }) => ({ name, votes: voters.length }));
  const told = {
    ...body,
    options: known,
    ...(unknown === 0 ? {} : { unknown_options: unknown }),
    results,
    voters: Object.keys(votes).length,
  };
  return {
    // A vote in what buttons or a list were sent as is a choice of one of them.
    content:
      (unknown === 0 && !fact.fromMe ? choiceByVote(known, { messageId, message }) : undefined) ??
      boundContent({ type: 'poll_vote', poll_vote: told }),
    changes: [changeOf(connectionId, messageId, message, { votes, countedFrom: fact.stanzaId })],
  };
}

/**
 * Counts a vote of our own that was sent through the API. It is one vote with those of our other devices, whichever came
 * last, and told again it comes to the same.
 */
export function countOwnVote(
  { messageId, message }: FoundOriginal,
  { stanzaId, options }: { readonly stanzaId: string; readonly options: readonly string[] },
  connectionId: ConnectionId,
): Pick<Counted, 'changes'> {
  const votes = withVote(message.votes ?? {}, { voter: [OWN_VOTE], chosen: options.map(hashOfOption) });
  return { changes: [changeOf(connectionId, messageId, message, { votes, countedFrom: stanzaId })] };
}

/** The names of a voter, the one first under which the vote is kept. */
function votersOf({ fromMe, sender, senderAlias }: OpenedFact): readonly string[] {
  if (fromMe) return [OWN_VOTE];
  const names = [sender, senderAlias].filter((name) => name !== undefined);
  return names.toSorted((one, other) => Number(isLid(other)) - Number(isLid(one)));
}

function addOptions(
  fact: OpenedFact,
  content: Extract<InboundContent, { type: 'poll_option' }>,
  { messageId, message }: FoundOriginal,
  connectionId: ConnectionId,
): Counted {
  const poll = pollIn(message.content);
  const { allow_new_options: isOpen } =
    (message.content as unknown as { poll?: { allow_new_options?: true } }).poll ?? {};
  if (poll === undefined || isOpen !== true) return { content, changes: [] };
  const added = [...new Set(content.poll_option.options)].filter((option) => !poll.options.includes(option));
  const now = boundContent(withOptions(message.content, [...poll.options, ...added]));
  return {
    content,
    changes: [changeOf(connectionId, messageId, message, { content: now, countedFrom: fact.stanzaId })],
  };
}

function withOptions(content: Message['content'], options: readonly string[]): InboundContent {
  const { poll } = content as unknown as { readonly poll: object };
  return { type: 'poll', poll: { ...poll, options } } as unknown as InboundContent;
}

function changeOf(
  connectionId: ConnectionId,
  messageId: FoundOriginal['messageId'],
  { countedFrom }: Message,
  set: RowChange['set'],
): RowChange {
  return { key: messageKey(connectionId, messageId), set, after: { attribute: 'countedFrom', was: countedFrom } };
}
