import { askedKinds, type OutboundContent } from '../content/content.ts';
import { sentFileOf } from '../media/sentFile.ts';
import { AppError } from '../kernel/appError.ts';
import { filesOf } from '../media/media.ts';
import type { Message } from './message.ts';
import { findNamed, type NamedLookUp } from './namedMessage.ts';

/** The kinds that can be made again of what is kept of them. */
const forwardable: ReadonlySet<string> = new Set([
  'text',
  'location',
  'contacts',
  'image',
  'video',
  'video_note',
  'audio',
  'document',
  'sticker',
]);
/** The words and marks of a file that came, which go on with it; all else is found in the file itself. */
const GO_ON = ['caption', 'filename', 'voice', 'gif'] as const;

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

function problemOf(message: Message): string {
  const { type } = message.content;
  if (message.deletedAtMs !== undefined) return 'was taken back';
  if (opensOnce(message)) return 'may be opened once';
  if (askedAgain(message) === undefined) return `is of type ${type}, and its file is not known here`;
  return forwardable.has(type)
    ? `is not within the limits of what may be sent as ${type}: send what matters of it`
    : `is of type ${type}, which cannot be made again of what is kept of it`;
}

/** Whether a message is a file that may be opened once. */
function opensOnce(message: Message): boolean {
  const body = bodyOf(message) as { readonly view_once?: boolean } | undefined;
  return (
    body?.view_once === true ||
    (message.direction !== 'out' && (message.flags ?? []).some((flag) => flag.startsWith('viewOnce')))
  );
}

const bodyOf = ({ content }: Message): unknown =>
  (content as unknown as Readonly<Record<string, unknown>>)[content.type];

/** What is asked for again: of a file that came the file itself, by its id, and what goes on with it. */
function askedAgain(message: Message): unknown {
  const body = bodyOf(message);
  if (message.direction === 'out' || sentFileOf(message.content) === undefined) return body;
  const own = filesOf(message).find(({ file }) => file.part === undefined);
  const goesOn = GO_ON.flatMap((name) => {
    const value = (body as Readonly<Record<string, unknown>>)[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return own === undefined ? undefined : { id: own.mediaId, ...Object.fromEntries(goesOn) };
}

/** The content as it would be asked for; undefined where a part of it is not kept, as of a text that was cut. */
function madeAgain(message: Message): OutboundContent | undefined {
  if (opensOnce(message)) return undefined;
  const { type } = message.content;
  const kind = forwardable.has(type) ? askedKinds.find((each) => each.type === type) : undefined;
  const parsed = kind?.asked.safeParse(askedAgain(message));
  return parsed?.success === true ? ({ type, [type]: parsed.data } as unknown as OutboundContent) : undefined;
}
