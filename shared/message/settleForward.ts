import { askedKinds, type OutboundContent } from '../content/content.ts';
import { AppError } from '../kernel/appError.ts';
import type { Message } from './message.ts';
import { findNamed, type NamedLookUp } from './namedMessage.ts';

/** The kinds that can be made again of what is kept of them; of media the file itself would be needed. */
const forwardable: ReadonlySet<string> = new Set(['text', 'location', 'contacts']);

/** What a message says that is forwarded, and how often it was forwarded with this time. */
export interface Forwarded {
  readonly content: OutboundContent;
  readonly forwarded?: number;
}

/**
 * Settles a forward: its row has the content of the other message, as if that had been asked for, so that every try is the
 * same. Returns the error that refuses it. WhatsApp marks no first forward of one's own words.
 */
export async function settleForward(id: string, lookUp: NamedLookUp): Promise<Forwarded | AppError> {
  const original = await findNamed(id, 'forward.message_id', lookUp);
  if (original instanceof AppError) return original;
  const content = original.deletedAtMs === undefined ? madeAgain(original) : undefined;
  if (content === undefined) {
    return new AppError('act_not_possible', {
      fields: [{ field: 'forward.message_id', problem: problemOf(original) }],
    });
  }
  const before = original.context?.forwarded ?? 0;
  return original.direction !== 'in' && before === 0 ? { content } : { content, forwarded: before + 1 };
}

function problemOf({ content: { type }, deletedAtMs }: Message): string {
  if (deletedAtMs !== undefined) return 'was taken back';
  return forwardable.has(type)
    ? `is not within the limits of what may be sent as ${type}: send what matters of it`
    : `is of type ${type}, which cannot be made again of what is kept of it`;
}

/** The content as it would be asked for; undefined where a part of it is not kept, as of a text that was cut. */
function madeAgain({ content }: Message): OutboundContent | undefined {
  const { type } = content;
  const kind = forwardable.has(type) ? askedKinds.find((each) => each.type === type) : undefined;
  const parsed = kind?.asked.safeParse((content as unknown as Readonly<Record<string, unknown>>)[type]);
  return parsed?.success === true ? ({ type, [type]: parsed.data } as unknown as OutboundContent) : undefined;
}
