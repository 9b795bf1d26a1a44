import type { BinaryNode } from '@whiskeysockets/baileys';
import { isPerson, isStatus, withoutDevice } from '../../../shared/kernel/jid.ts';
import { goesToMany, isGroup, wentTo } from '../../../shared/message/recipient.ts';
import type { SentOnce } from '../port/sentOnce.ts';
import { isMe, type Me } from '../wire/envelope.ts';

/**
 * Decides who gets a message again that we have sent, when a stanza asks for it (`<receipt type="retry">`). To repeat a
 * message is to give its text away, and many know the id in the stanza; so the requester and the chat decide. Both are
 * addresses that WhatsApp's server writes.
 *
 * | the requester                             | message to a person        | message to a group           | status               |
 * | ----------------------------------------- | -------------------------- | ---------------------------- | -------------------- |
 * | a device of our own account               | yes, if it names that chat | yes, from that group         | yes, from status     |
 * | the recipient, by number or by LID        | yes                        | no: only by way of the group | –                    |
 * | a member of the group at this time        | no                         | yes, from that group         | –                    |
 * | a person who was a member                 | no                         | no                           | –                    |
 * | somebody in a group we cannot ask about   | no                         | no                           | –                    |
 * | one of its viewers                        | –                          | –                            | yes, by way of status |
 * | anybody else                              | no                         | no                           | no                   |
 *
 * For all of them there is a limit of 30 days from when it was sent, as long as WhatsApp itself keeps a message for a
 * device that is away, since a device that returns on the last of them may be unable to read it; and of ten messages
 * for
 * one stanza. Baileys counts how often one message is repeated to one device (`baileysConfiguration`).
 */
export type RepeatDecision = 'repeat' | RepeatRefusal;
export const repeatRefusals = [
  /** The stanza has not the form of such a request. */
  'malformed',
  /** We sent no message under this id. */
  'unknown_message',
  /** The message went to somebody else. */
  'not_a_recipient',
  /** The message went to a group that the requester is not in, as far as can be known, or was a status for others. */
  'not_a_member',
  'too_old',
  /** Nothing of the message is kept, or nothing that this version can read. */
  'not_kept',
  /** The stanza names more messages than are repeated for one. */
  'too_many',
] as const;
export type RepeatRefusal = (typeof repeatRefusals)[number];

const DAY_MS = 24 * 60 * 60 * 1_000;
export const REPEATED_FOR_MS = 30 * DAY_MS;
/** The greatest number of messages for one stanza. WhatsApp's clients ask for one at a time. */
export const MOST_REPEATS = 10;

/** A request, as its stanza has it. Addresses are without device. */
export interface RepeatRequest {
  readonly isOwn: boolean;
  /** The chat; undefined where one of our own devices names none, as it does for messages between them alone. */
  readonly chat: string | undefined;
  readonly requester: string;
  /** The requester with its device, with which a new session is made. */
  readonly requesterDevice: string;
  /** How often the device has asked, as it says itself: 1 where that is no number. */
  readonly count: number;
  /** The ids of the messages, the first one that it is about at the front. */
  readonly ids: readonly string[];
}

/** Reads a request. Returns undefined when the stanza has not the form of one: then its meaning is not known. */
export function toRepeatRequest(stanza: BinaryNode, me: Me): RepeatRequest | undefined {
  const { id = '', from = '', participant, recipient } = stanza.attrs;
  const children = Array.isArray(stanza.content) ? stanza.content : [];
  if (id === '' || !children.some(({ tag }) => tag === 'retry')) return undefined;
  const more = children.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  const ids = [id, ...more.flatMap(({ tag, attrs }) => (tag === 'item' && attrs['id'] ? [attrs['id']] : []))];
  const count = countIn(children);
  const chat = withoutDevice(from);
  if (goesToMany(chat)) {
    if (participant === undefined || recipient !== undefined) return undefined;
    const requester = withoutDevice(participant);
    if (!isPerson(requester)) return undefined;
    return { isOwn: isMe(requester, me), chat, requester, requesterDevice: participant, count, ids };
  }
  // In a chat with one person the server names nobody but the sender.
  if (!isPerson(chat) || (participant !== undefined && withoutDevice(participant) !== chat)) return undefined;
  const isOwn = isMe(chat, me);
  if (!isOwn && recipient !== undefined) return undefined;
  const about = isOwn ? recipient && withoutDevice(recipient) : chat;
  return { isOwn, chat: about, requester: chat, requesterDevice: from, count, ids };
}

/** WhatsApp's clients give up after five. */
const HIGHEST_COUNT = 99;

function countIn(children: readonly BinaryNode[]): number {
  const count = Number(children.find(({ tag }) => tag === 'retry')?.attrs['count']);
  return Number.isInteger(count) && count > 0 && count <= HIGHEST_COUNT ? count : 1;
}

/** Whether a person is one of those whom a status was for, by any name. */
export function isViewer(message: SentOnce | undefined, names: readonly (string | undefined)[]): boolean {
  return names.some((name) => name !== undefined && message?.viewers?.has(name) === true);
}

/** Whether the members of the group must be known before this can be decided. */
export function needsMembers(request: RepeatRequest, message: SentOnce | undefined): boolean {
  return message !== undefined && isGroup(message.to) && request.chat === message.to && !request.isOwn;
}

/**
 * Decides about one message.
 * @param names the names of the chat of the request, both where they are known
 * @param isMember whether the requester is in the group of the message now, or one of the viewers of a status; undefined when
 * that is not known
 */
export function decideRepeat(
  request: RepeatRequest,
  message: SentOnce | undefined,
  names: readonly (string | undefined)[],
  isMember: boolean | undefined,
  nowMs: number,
): RepeatDecision {
  if (message === undefined) return 'unknown_message';
  if (!wentTo(message, names)) return 'not_a_recipient';
  const mustBeIn = needsMembers(request, message) || (isStatus(message.to) && !request.isOwn);
  if (mustBeIn && isMember !== true) return 'not_a_member';
  return nowMs - message.atMs > REPEATED_FOR_MS ? 'too_old' : 'repeat';
}
