import { boundContent, type InboundContent, type OutboundContent } from '../../content/content.ts';
import { optionsOf, type NumberedOption } from '../../content/interactiveFallback.ts';
import { isChoice, type InteractiveRequest } from '../../content/interactiveRequest.ts';
import { chosenByText, mayChoose, mayChooseBare } from '../../content/writtenChoice.ts';
import type { ConnectionId } from '../../kernel/id.ts';
import { isPerson } from '../../kernel/jid.ts';
import type { Message, SentMessage } from '../../message/message.ts';
import { expiryOf } from '../../platform/expiry.ts';
import { handledFactKey, messageKey } from '../../platform/keys.ts';
import { digest } from './factKey.ts';
import type { FactContext, RowChange } from './factRow.ts';
import type { MessageFact } from './messageFactSchema.ts';
import type { FoundOriginal } from './originalRule.ts';
import { isInChat } from './originalRule.ts';
import type { Naming } from './originals.ts';

/**
 * Buttons and lists leave a linked device as numbered text or as a poll (`interactive.fallback`). What somebody answers is
 * told as the choice that it is, beside what was written:
 *
 * | the answer                          | is a choice                                                                          |
 * | ----------------------------------- | ------------------------------------------------------------------------------------ |
 * | quotes that message                 | if it is the number or the title of one of its options; in a group, too              |
 * | quotes nothing, in a chat of two    | the same, if it has three characters at most, is the first one after that message,   |
 * |                                     | and comes within a day; a later such message takes the place of an earlier one       |
 * | is a vote in the poll               | if it chooses one option                                                             |
 *
 * Everything else stays what it is, and so does what answers a message that was taken back. The chat is the one that WhatsApp's server puts on the stanza, so that nobody answers in
 * another one. A message that quotes is found by what it quotes, which is read anyway. Of all others only those of three
 * characters cost a look: at the rows `asked` of their chat, which lead to the last such message.
 */
const ASKED_MS = 86_400_000;
/** The name of those rows for who looks for one in the run that writes it. */
export const ASKED = 'asked';
/** WhatsApp tells times in whole seconds. */
const SECOND_MS = 1_000;

/** The rows by which the last message with numbered options in a chat is found, one for each name of the chat. */
export function askedItems(message: SentMessage, toAlias: string | undefined, nowMs: number) {
  const { connectionId, messageId, to, resolvedTo, content } = message;
  if (offerOf(content)?.fallback !== 'text' || !isPerson(resolvedTo ?? to)) return [];
  const names = new Set([to, resolvedTo, message.toAlias ?? toAlias].filter((name) => name !== undefined));
  return [...names].map((name) => ({
    ...handledFactKey(connectionId, askedKey(name)),
    messageId,
    ttl: expiryOf('askedChoice', nowMs),
  }));
}

/** Where a text that quotes nothing finds what was asked in its chat; undefined for all that is no such answer. */
export function askedNaming({
  content,
  context,
  chat,
  chatAlias,
  fromMe,
  originalId,
}: MessageFact): Naming | undefined {
  if (fromMe || originalId !== undefined || context?.replyTo !== undefined || !isPerson(chat)) return undefined;
  const text = plainText(content);
  if (text === undefined || !mayChooseBare(text)) return undefined;
  const keys = [chat, chatAlias].filter((name) => name !== undefined).map(askedKey);
  return { stanzaId: keys.join(' '), keys, mayBeOurs: false, needs: 'row', after: ASKED };
}

interface Chosen {
  readonly content: InboundContent;
  readonly changes: readonly RowChange[];
}

/** The choice that a text is; undefined where it is none. */
export function choiceByText(fact: MessageFact, { named, origin }: Pick<FactContext, 'named' | 'origin'>) {
  const text = fact.fromMe || fact.originalId !== undefined ? undefined : plainText(fact.content);
  const found = named.at(-1);
  if (text === undefined || found?.message === undefined || !mayChoose(text)) return undefined;
  const { message, messageId } = found;
  const offer = openOffer(message);
  if (offer === undefined || !isInChat(message, fact)) return undefined;
  const isQuoted = fact.context?.replyTo !== undefined;
  if (!isQuoted && !isFirstInTime(fact, message)) return undefined;
  const option = chosenByText(text, optionsOf(offer), offer.fallback === 'text');
  if (option === undefined) return undefined;
  const content = toChoice(offer, option, { message_id: messageId, text: { body: text } });
  return { content, changes: isQuoted ? [] : [answered(fact, message, origin.connectionId)] } satisfies Chosen;
}

/** The choice that a vote is in a poll that buttons or a list were sent as; undefined where it is none. */
export function choiceByVote(
  chosen: readonly string[],
  { messageId, message }: FoundOriginal,
): InboundContent | undefined {
  const offer = openOffer(message);
  const option = offer && optionsOf(offer).find(({ title }) => title === chosen[0]);
  if (offer === undefined || option === undefined || chosen.length !== 1) return undefined;
  return toChoice(offer, option, { message_id: messageId });
}

function isFirstInTime({ atMs, stanzaId }: MessageFact, message: Message): boolean {
  const askedAtMs = (message.direction === 'out' ? message.sentAtMs : undefined) ?? message.createdAtMs;
  const isInTime = atMs + SECOND_MS > askedAtMs && atMs < askedAtMs + ASKED_MS;
  return isInTime && (message.answeredBy === undefined || message.answeredBy === stanzaId);
}

/** A run that is made again finds its own answer on the row, and comes to the same. */
function answered(
  { stanzaId }: MessageFact,
  { messageId, answeredBy }: Message,
  connectionId: ConnectionId,
): RowChange {
  return {
    key: messageKey(connectionId, messageId),
    set: { answeredBy: stanzaId },
    after: { attribute: 'answeredBy', was: answeredBy },
  };
}

function askedKey(chat: string): string {
  return `asked:${digest(chat)}`;
}

/** The body of a text that has nothing else. */
function plainText(content: InboundContent): string | undefined {
  if (content.type !== 'text') return undefined;
  const { body, ...others } = content.text;
  return Object.keys(others).length === 0 ? body : undefined;
}

/** What a message of ours still offers; nothing once it was taken back. */
function openOffer(message: Message): InteractiveRequest | undefined {
  return message.direction === 'out' && message.deletedAtMs === undefined ? offerOf(message.content) : undefined;
}

/** Buttons or a list that were sent in another form; undefined for all else. */
function offerOf(content: Message['content'] | OutboundContent): InteractiveRequest | undefined {
  if (content.type !== 'interactive') return undefined;
  const asked = content.interactive as Parameters<typeof isChoice>[0];
  return isChoice(asked) || asked.fallback === undefined || optionsOf(asked).length === 0 ? undefined : asked;
}

function toChoice(
  offer: InteractiveRequest,
  { id, title, description }: NumberedOption,
  beside: object,
): InboundContent {
  const way = offer.type === 'list' ? 'list_reply' : 'button_reply';
  const chosen = { id, title, ...(description === undefined ? {} : { description }) };
  const body = { type: way, [way]: chosen, ...beside };
  return boundContent({ type: 'interactive', interactive: body });
}
