import type { Content, OutboundContent } from '../content/content.ts';
import { AppError } from '../kernel/appError.ts';
import { isStatus } from '../kernel/jid.ts';
import type { ActProblem } from './actProblem.ts';
import { isSent, sendStates, type Message } from './message.ts';
import { isGroup } from './recipient.ts';
import { endOfPollMs, problemOfAnswer, type AnswerContent } from './answerRule.ts';

/** The kinds of content that act on another message. */
export const actTypes = ['reaction', 'edit', 'revoke', 'pin', 'keep', 'poll_vote', 'event_response'] as const;
export type ActType = (typeof actTypes)[number];
export type ActContent = Extract<OutboundContent, { readonly type: ActType }>;

const acts: ReadonlySet<string> = new Set(actTypes);
/** Kinds on which nobody acts: they are about a message themselves. */
const aboutOthers: ReadonlySet<string> = new Set([...actTypes, 'poll_option']);

export function isAct(content: { readonly type: string }): content is ActContent {
  return acts.has(content.type);
}

/** The acts that change the row of the message that they are about, once WhatsApp has them. */
const changing: ReadonlySet<string> = new Set<ActType>(['edit', 'revoke', 'poll_vote']);
export function changesOriginal(type: string): boolean {
  return changing.has(type);
}

/** Whether an act leaves sealed with the secret of the message that it is about. */
export function isSealedAct(act: ActContent): act is AnswerContent {
  return act.type === 'poll_vote' || act.type === 'event_response';
}

/** How long WhatsApp shows an edit after its message was sent, in milliseconds; its phones ignore a later one. */
export const EDIT_WINDOW_MS = 15 * 60_000;

/** The chats in which messages have other ids, or go to an audience of their own. */
const CHATS_APART = ['@newsletter', '@broadcast'] as const;
const CAPTIONED: ReadonlySet<string> = new Set<Content['type']>(['image', 'video', 'document']);

/**
 * The right of a tenant to act on a message, as WhatsApp's servers and phones have it:
 *
 * | the act             | on whose message                         | and not                                             |
 * | ------------------- | ---------------------------------------- | --------------------------------------------------- |
 * | reaction, pin, keep | anybody's                                | on one that was taken back                          |
 * | edit                | the account's own, a text or a caption   | after 15 minutes, on one that was taken back        |
 * | revoke              | the account's own; in a group anybody's  | on one that was taken back                          |
 * | poll_vote           | anybody's poll                           | after its end, or where its secret is not known     |
 * | event_response      | anybody's event                          | if it was cancelled, or its secret is not known     |
 *
 * Nobody acts on an act, on a message that will never be sent, or in a channel or status; but a status that was sent through
 * the API is taken back, from those to whom it went. Whether the account is an
 * administrator of the group is known to WhatsApp, which refuses the message if it is none.
 *
 * @returns the error that refuses the act, or undefined
 */
export function refusalOfAct(act: ActContent, original: Message, nowMs: number): AppError | undefined {
  const problem = problemOf(act, original, nowMs);
  if (problem !== undefined) {
    const fields = [{ field: `${act.type}.${problem.field ?? 'message_id'}`, problem: problem.problem }];
    return new AppError(problem.code ?? 'act_not_possible', { fields });
  }
  if (act.type === 'edit' && nowMs >= editableUntilMs(original)) return new AppError('edit_too_late');
  return undefined;
}

/** Until when an act is of use, in milliseconds since 1970: an edit or a vote that leaves later counts for nobody. */
export function usefulUntilMs(act: ActContent, original: Message): number {
  if (act.type === 'poll_vote') return endOfPollMs(original);
  return act.type === 'edit' ? editableUntilMs(original) : Infinity;
}

/** Until when a message can be edited, in milliseconds since 1970; a message that was not sent yet can always. */
function editableUntilMs(original: Message): number {
  if (original.direction !== 'out') return original.createdAtMs + EDIT_WINDOW_MS;
  return isSent(original.state) ? (original.sentAtMs ?? original.createdAtMs) + EDIT_WINDOW_MS : Infinity;
}

function problemOf(act: ActContent, original: Message, nowMs: number): ActProblem | undefined {
  const chat = chatOf(original);
  const isRevokeOfStatus = act.type === 'revoke' && isStatus(chat);
  if (isRevokeOfStatus && original.direction !== 'out') {
    return { problem: 'is a status that was not sent through this API, so that it is not known here to whom it went' };
  }
  if (!isRevokeOfStatus && CHATS_APART.some((ending) => chat.endsWith(ending))) {
    return { problem: 'is of a channel, a status or a broadcast list, where this is not possible' };
  }
  const { type } = original.content;
  if (aboutOthers.has(type)) return { problem: `is a ${type} itself` };
  if (original.direction === 'out' && sendStates[original.state] >= sendStates.failed) {
    return { problem: `was never sent: it is ${original.state}` };
  }
  if (original.deletedAtMs !== undefined) return { problem: 'was taken back' };
  const isOwn = original.direction !== 'in';
  if (act.type === 'revoke' && !isOwn && !isGroup(chat)) {
    return { problem: 'was written by somebody else: only in a group can an administrator take it back' };
  }
  if (isSealedAct(act)) return problemOfAnswer(act, original, nowMs);
  if (act.type !== 'edit') return undefined;
  return isOwn ? problemOfEdit(act, original.content.type) : { problem: 'was written by somebody else' };
}

function problemOfEdit({ edit }: Extract<ActContent, { readonly type: 'edit' }>, type: string): ActProblem | undefined {
  if (type === 'text')
    return edit.text === undefined ? { field: 'caption', problem: 'is for media; give text' } : undefined;
  if (!CAPTIONED.has(type)) return { problem: `is of type ${type}, which cannot be edited` };
  return edit.caption === undefined ? { field: 'text', problem: 'is for texts; give caption' } : undefined;
}

/** The chat that a message is in. */
export function chatOf(message: Message): string {
  return message.direction === 'out' ? message.to : message.chat;
}
