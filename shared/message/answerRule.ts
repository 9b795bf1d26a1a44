import type { OutboundContent } from '../content/content.ts';
import type { ActProblem } from './actProblem.ts';
import type { Message } from './message.ts';
import { pollIn } from './pollVotes.ts';

/** An answer that is sealed with the secret of the message that asks. */
export type AnswerContent = Extract<OutboundContent, { readonly type: 'poll_vote' | 'event_response' }>;

/**
 * The right to vote in a poll, and to answer an event: one that is kept here as a whole, with its secret, and that still
 * takes answers. What is chosen must be what the poll offers, letter by letter: a vote names options by their hashes, and
 * one that is written in another way would count for nothing ({@link spelledAsIn}).
 */
export function problemOfAnswer(act: AnswerContent, original: Message, nowMs: number): ActProblem | undefined {
  const problem = act.type === 'poll_vote' ? problemOfVote(act, original, nowMs) : problemOfResponse(act, original);
  if (problem !== undefined) return problem;
  return original.secret === undefined
    ? { problem: 'came without the secret that an answer to it is sealed with' }
    : undefined;
}

/**
 * A vote with its options as the poll spells them: keyboards and systems write one letter with its accent in two ways
 * (Unicode, NFC and NFD), which look the same. What the poll does not have stays as it is asked for; any other act, too.
 */
export function spelledAsIn<Act extends { readonly type: string }>(original: Message, act: Act | AnswerContent): Act {
  const poll = pollIn(original.content);
  if (act.type !== 'poll_vote' || poll === undefined) return act as Act;
  const { poll_vote: asked } = act as Extract<AnswerContent, { readonly type: 'poll_vote' }>;
  const spelled = (option: string): string =>
    poll.options.includes(option)
      ? option
      : (poll.options.find((offered) => offered.normalize() === option.normalize()) ?? option);
  return { ...act, poll_vote: { ...asked, options: [...new Set(asked.options.map(spelled))] } } as unknown as Act;
}

/** When a poll takes no votes any more, in milliseconds since 1970; never for one that has no end. */
export function endOfPollMs({ content }: Message): number {
  const end = pollIn(content)?.endsAt;
  return end === undefined ? Infinity : Date.parse(end);
}

function problemOfVote(
  { poll_vote: { options } }: Extract<AnswerContent, { readonly type: 'poll_vote' }>,
  original: Message,
  nowMs: number,
): ActProblem | undefined {
  const poll = pollIn(original.content);
  if (poll === undefined) return { problem: `is of type ${original.content.type}: a vote is for a poll` };
  if (poll.isCut) return { problem: 'is a poll that is longer than what is kept of it' };
  if (nowMs >= endOfPollMs(original)) return { problem: 'is a poll that has ended' };
  const wrong = options.findIndex((option) => !poll.options.includes(option));
  if (wrong >= 0) {
    return {
      code: 'invalid_request',
      field: `options.${wrong}`,
      problem: 'is no option of that poll, letter by letter',
    };
  }
  const { mostChosen: most } = poll;
  if (most === 0 || options.length <= most) return undefined;
  return { code: 'invalid_request', field: 'options', problem: `at most ${most} may be chosen in that poll` };
}

function problemOfResponse(
  { event_response: { extra_guests: guests = 0 } }: Extract<AnswerContent, { readonly type: 'event_response' }>,
  { content }: Message,
): ActProblem | undefined {
  if (content.type !== 'event') return { problem: `is of type ${content.type}: this answer is for an event` };
  const { canceled, extra_guests: mayBring } = content.event as { canceled?: true; extra_guests?: true };
  if (canceled === true) return { problem: 'is an event that was canceled' };
  if (guests === 0 || mayBring === true) return undefined;
  return {
    code: 'invalid_request',
    field: 'extra_guests',
    problem: 'is not possible: nobody else may be brought along',
  };
}
