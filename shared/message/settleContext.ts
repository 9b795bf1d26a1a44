import { quotedWords } from '../content/quotedWords.ts';
import { AppError, type FieldProblem } from '../kernel/appError.ts';
import { isPerson, isStatus, toRecipient } from '../kernel/jid.ts';
import type { Message } from './message.ts';
import type { Envelope } from './outboundMessage.ts';
import { goesToMany, isGroup, wentTo } from './recipient.ts';
import { findNamed, type NamedLookUp } from './namedMessage.ts';
import type { Answered, SentContext } from './sentContext.ts';

/** The characters of a quoted content as JSON; of a longer one only its words are kept. */
const LONGEST_QUOTED = 4_096;

/**
 * Settles the context of a request; undefined where it asks for none. The error that refuses the request is returned, since
 * a repeated request gets its answer all the same. Rejects when the store does not answer.
 * @param to the address that the request's `to` stands for
 */
export async function settleContext(
  envelope: Partial<Envelope>,
  to: string,
  lookUp: NamedLookUp,
): Promise<SentContext | AppError | undefined> {
  const problems = problemsOf(envelope, to);
  if (problems.length > 0) return new AppError('invalid_request', { fields: problems });
  const { context: asked, mentions = [], mention_all: everyone = false, expires_in: expiresIn = 0 } = envelope;
  const original = asked && (await findNamed(asked.message_id, 'context.message_id', lookUp));
  if (original instanceof AppError) return original;
  const context: SentContext = {
    ...(original === undefined ? {} : { replyTo: toAnswered(original, to) }),
    ...(mentions.length === 0 ? {} : { mentions: mentions.map((mention) => toRecipient(mention) ?? mention) }),
    ...(everyone ? { mentionsEveryone: true } : {}),
    ...(expiresIn === 0 ? {} : { expiresIn }),
  };
  return Object.keys(context).length === 0 ? undefined : context;
}

function problemsOf(
  { mentions = [], mention_all: everyone, recipient_type: type }: Partial<Envelope>,
  to: string,
): FieldProblem[] {
  const problems = mentions.flatMap((mention, index) =>
    isPerson(toRecipient(mention) ?? '')
      ? []
      : [
          {
            field: `mentions.${index}`,
            problem: 'must be a phone number in international form, or the address of a person',
          },
        ],
  );
  if (everyone === true && !isGroup(to)) {
    problems.push({ field: 'mention_all', problem: 'mentions everybody in a group, and `to` is none' });
  }
  if (type === 'group' && !isGroup(to)) {
    problems.push({ field: 'recipient_type', problem: 'is group, and `to` is not the address of one, …@g.us' });
  }
  return problems;
}

function toAnswered(original: Message, to: string): Answered {
  const { messageId, stanzaId, content } = original;
  const chat = original.direction === 'out' ? original.to : original.chat;
  const sender = original.direction === 'out' ? {} : { sender: original.sender };
  // Two people may be one under two names; a group, and status, have one, so that they alone can be said to be elsewhere.
  const isElsewhere = (goesToMany(chat) || goesToMany(to)) && !wentTo({ to: chat }, [to]);
  return {
    messageId,
    stanzaId,
    ...sender,
    ...(isElsewhere ? { chat } : {}),
    ...(isStatus(chat) ? { inStatus: true } : {}),
    quoted:
      JSON.stringify(content).length <= LONGEST_QUOTED
        ? content
        : { type: 'text', text: { body: quotedWords(content) } },
  };
}
