import { AppError } from '../kernel/appError.ts';
import { isSealedAct, refusalOfAct, chatOf, usefulUntilMs, type ActContent } from './actRule.ts';
import { spelledAsIn } from './answerRule.ts';
import type { Message, SentOriginal } from './message.ts';
import { findNamed, type NamedLookUp } from './namedMessage.ts';

/** The message that an act is about, as its row keeps it, and the chat that it goes to. */
export interface SettledAct {
  /** The act, which names what that message has as it stands there. */
  readonly content: ActContent;
  readonly to: string;
  readonly original: SentOriginal;
  /** When the act is of no use any more, in milliseconds since 1970: a worker that comes to it later lets it expire. */
  readonly expiresAtMs?: number;
}

/**
 * Settles an act on another message: which one it is, by all that WhatsApp needs to know of it, is kept on the new row,
 * so that every try is the same, whatever becomes of the other row. Returns the error that refuses it.
 * @param to the address that the request's `to` stands for; undefined where it has none
 */
export async function settleAct(
  asked: ActContent,
  to: string | undefined,
  nowMs: number,
  lookUp: NamedLookUp,
): Promise<SettledAct | AppError> {
  const original = await findNamed(idIn(asked), `${asked.type}.message_id`, lookUp);
  if (original instanceof AppError) return original;
  const act = spelledAsIn(original, asked);
  if (to !== undefined && !namesOf(original).includes(to)) {
    const problem = 'is not the chat of that message, as far as is known here; it may be left out';
    return new AppError('invalid_request', { fields: [{ field: 'to', problem }] });
  }
  const refusal = refusalOfAct(act, original, nowMs);
  if (refusal !== undefined) return refusal;
  const untilMs = usefulUntilMs(act, original);
  const end = untilMs === Infinity ? {} : { expiresAtMs: untilMs };
  return {
    content: act,
    to: to ?? chatOf(original),
    original: { ...toSentOriginal(original), ...sealOf(act, original) },
    ...end,
  };
}

/** What an act is sealed with, if it is. A poll that is our own is known by the address that it went to. */
function sealOf(act: ActContent, original: Message): Pick<SentOriginal, 'seal'> {
  const { secret } = original;
  if (!isSealedAct(act) || secret === undefined) return {};
  return {
    seal: { secret, known: original.direction === 'out' ? (original.resolvedTo ?? original.to) : original.sender },
  };
}

function idIn(act: ActContent): string {
  const { message_id: id } = (act as unknown as Readonly<Record<string, { readonly message_id: string }>>)[
    act.type
  ] ?? {
    message_id: '',
  };
  return id;
}

/** All names of the chat of a message. */
function namesOf(message: Message): readonly (string | undefined)[] {
  return message.direction === 'out'
    ? [message.to, message.resolvedTo, message.toAlias]
    : [message.chat, message.chatAlias];
}

function toSentOriginal(message: Message): SentOriginal {
  const { messageId, stanzaId, content } = message;
  const { sender, senderAlias } = message.direction === 'in' ? message : { sender: undefined, senderAlias: undefined };
  return {
    messageId,
    stanzaId,
    type: content.type,
    ...(sender === undefined ? {} : { sender }),
    ...(senderAlias === undefined ? {} : { senderAlias }),
  };
}
