import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { withNewerField } from '../newerFields.ts';
import type { Spoken, WireMessage } from '../spokenKind.ts';

type Poll = AskedOf<'poll'>;

const { TEXT } = proto.Message.PollContentType;
const { QUIZ } = proto.Message.PollType;

/** The version of a poll with an end, hidden names or added options, which Baileys' protocol does not have yet. */
const POLL_V6 = 119;
/** The fields that it has beyond the others, as they stand on the wire: `endTime`, `hideParticipantName`, `allowAddOption`. */
const END_TIME = 9 * 8;
const HIDE_NAMES = 10 * 8;
const ALLOW_NEW = 11 * 8;

/** WhatsApp drops a poll, and an event, whose stanza does not say that it is one. */
export const POLL_NODE = { tag: 'meta', attrs: { polltype: 'creation' } } as const;

export const poll = {
  toWire: (asked, { contextInfo }) => toPollMessage(asked, contextInfo),
  toQuoted: (body) => ({ pollCreationMessage: toPoll(body) }),
} as const satisfies Spoken<Poll>;

/**
 * A poll in the version that WhatsApp's own clients choose for it: one answer, many, or more than those know. What is not
 * asked for is left out, as a client that finds a newer field in an older version shows nothing.
 */
export function toPollMessage(asked: Poll, contextInfo: proto.IContextInfo | undefined): WireMessage {
  const creation = { ...toPoll(asked), ...(contextInfo === undefined ? {} : { contextInfo }) };
  const { ends_at: end, hide_names: hide, allow_new_options: allow } = asked;
  const nodes = [POLL_NODE];
  if (end === undefined && hide === undefined && allow === undefined) {
    const isSingle = creation.selectableOptionsCount === 1;
    return { message: isSingle ? { pollCreationMessageV3: creation } : { pollCreationMessage: creation }, nodes };
  }
  const writer = proto.Message.PollCreationMessage.encode(creation);
  // Unlike other times this one is in milliseconds.
  if (end !== undefined) writer.uint32(END_TIME).int64(Date.parse(end));
  if (hide !== undefined) writer.uint32(HIDE_NAMES).bool(true);
  if (allow !== undefined) writer.uint32(ALLOW_NEW).bool(true);
  // Baileys knows by the field what type a stanza has, and does not know this one.
  return { message: withNewerField({}, POLL_V6, writer.finish()), attributes: { type: 'poll' }, nodes };
}

function toPoll({ name, options, selectable_count: count = 1, correct_option: correct }: Poll) {
  const quiz = correct === undefined ? {} : { pollType: QUIZ, correctAnswer: toAnswer(correct) };
  return {
    name,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: count,
    pollContentType: TEXT,
    ...quiz,
  } satisfies proto.Message.IPollCreationMessage;
}

/** The right answer of a quiz is named by its hash, too, in hex. */
function toAnswer(optionName: string) {
  return { optionName, optionHash: createHash('sha256').update(optionName).digest('hex') };
}
