import type { BodyOf, OutboundContent } from '../content/content.ts';
import { isChoice } from '../content/interactiveRequest.ts';
import { AppError, type FieldProblem } from '../kernel/appError.ts';
import type { Message } from './message.ts';
import { findNamed, type NamedLookUp } from './namedMessage.ts';
import type { Envelope } from './outboundMessage.ts';

/**
 * Settles the choice of a button or of a row of a list that somebody else sent: the row has its title beside its id, as that
 * message has them, so that the phone of a business gets both. Any other content is returned as it is; the error that
 * refuses the request is returned, too. Rejects when the store does not answer.
 */
export async function settleChoice(
  content: OutboundContent,
  { context }: Partial<Envelope>,
  lookUp: NamedLookUp,
): Promise<OutboundContent | AppError> {
  const asked = askedOf(content);
  if (asked === undefined) return content;
  if (context === undefined) {
    const problem = 'must name the message with the buttons or the list that it answers';
    return new AppError('invalid_request', { fields: [{ field: 'context', problem }] });
  }
  const original = await findNamed(context.message_id, 'context.message_id', lookUp);
  if (original instanceof AppError) return original;
  const offer = offerOf(original);
  const problem = problemOf(asked, original, offer);
  if (problem !== undefined) return new AppError('act_not_possible', { fields: [problem] });
  const option = offer?.options.find(({ id }) => id === asked.id);
  if (option === undefined) {
    const known = offer?.options.slice(0, SHOWN_IDS).map(({ id }) => id) ?? [];
    return new AppError('invalid_request', {
      fields: [{ field: asked.field, problem: `is none of what can be chosen: ${known.join(', ')}` }],
    });
  }
  return toChosen(asked.way, option);
}

/** The ids that a refusal names. */
const SHOWN_IDS = 10;

/** The ways to choose, each with the type of content that it answers. */
type Way = 'button_reply' | 'list_reply' | 'button';

interface AskedChoice {
  readonly way: Way;
  readonly id: string;
  /** The field of the request that has the id. */
  readonly field: string;
}

interface Option {
  readonly id: string;
  readonly title: string;
  readonly description?: string | undefined;
  /** The place of a button among all of its message, from 0 on. */
  readonly index?: number;
}

/** What a message lets its readers choose of, and the way in which they say so. */
interface Offer {
  readonly way: Way;
  readonly options: readonly Option[];
}

function askedOf(content: OutboundContent): AskedChoice | undefined {
  if (content.type === 'button') return { way: 'button', id: content.button.payload, field: 'button.payload' };
  if (content.type !== 'interactive' || !isChoice(content.interactive)) return undefined;
  const asked = content.interactive;
  const { id } = asked.type === 'button_reply' ? asked.button_reply : asked.list_reply;
  return { way: asked.type, id, field: `interactive.${asked.type}.id` };
}

function offerOf({ content }: Message): Offer | undefined {
  if (content.type === 'template') return { way: 'button', options: repliesOf(content.template.action) };
  if (content.type !== 'interactive') return undefined;
  const { type, action } = content.interactive as BodyOf<'interactive'>;
  if (type === 'button') return { way: 'button_reply', options: repliesOf(action) };
  const rows = action?.sections?.flatMap((section) => section.rows ?? []) ?? [];
  return type === 'list' ? { way: 'list_reply', options: rows } : undefined;
}

function repliesOf(action: BodyOf<'template'>['action']): readonly Option[] {
  return action?.buttons?.flatMap(({ reply }, index) => (reply === undefined ? [] : [{ ...reply, index }])) ?? [];
}

function problemOf(asked: AskedChoice, original: Message, offer: Offer | undefined): FieldProblem | undefined {
  const at = (problem: string): FieldProblem => ({ field: 'context.message_id', problem });
  if (original.direction !== 'in') return at('is not what somebody else sent');
  if (original.deletedAtMs !== undefined) return at('was taken back');
  if (offer === undefined)
    return at(`is of type ${original.content.type}, of which a linked device can choose nothing`);
  if (isCut(original)) return at('was cut when it came, so that the ids of its options may not be whole');
  if (offer.way === asked.way) return undefined;
  return at(`is answered with ${offer.way === 'button' ? 'type button' : `interactive.type ${offer.way}`}`);
}

function isCut({ content }: Message): boolean {
  const body = (content as unknown as Readonly<Record<string, { readonly truncated?: boolean }>>)[content.type];
  return body?.truncated === true;
}

function toChosen(way: Way, { id, title, description, index }: Option): OutboundContent {
  if (way === 'button')
    return { type: 'button', button: { payload: id, text: title, ...(index === undefined ? {} : { index }) } };
  if (way === 'button_reply') {
    return { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id, title } } };
  }
  const row = { id, title, ...(description === undefined ? {} : { description }) };
  return { type: 'interactive', interactive: { type: 'list_reply', list_reply: row } };
}
