import type { OutboundContent } from '../content/content.ts';
import { AppError } from '../kernel/appError.ts';
import { STATUS, toChannel, toRecipient } from '../kernel/jid.ts';
import type { SentOriginal } from './message.ts';
import type { NamedLookUp } from './namedMessage.ts';
import { earliest, endOfUseMs, problemsOfContent } from './contentTimes.ts';
import { splitMessage, type OutboundMessage } from './outboundMessage.ts';
import type { SentContext } from './sentContext.ts';
import { isAct } from './actRule.ts';
import { settleAct } from './settleAct.ts';
import { refusalOfPost } from './settleChannel.ts';
import { settleChoice } from './settleChoice.ts';
import { settleContext } from './settleContext.ts';
import { settleFile, type FileLookUp } from './settleFile.ts';
import { settleForward } from './settleForward.ts';
import { settleStatus, type SettledStatus } from './settleStatus.ts';

/** A request with all that its row keeps of other rows: a later try needs none of them. */
export interface SettledRequest {
  readonly to: string;
  readonly content: OutboundContent;
  readonly context?: SentContext | undefined;
  readonly original?: SentOriginal | undefined;
  /** The people whom a status is for, and its look; left out for a message to a chat. */
  readonly status?: SettledStatus;
  /** When what is asked for is of no use any more, whatever the request says, in milliseconds since 1970. */
  readonly expiresAtMs?: number;
}

/** What a request is settled with. */
export interface RequestLookUp extends NamedLookUp {
  /** The addresses of the account, as far as they are known. */
  readonly own?: readonly string[];
  /** The files of the tenant; left out where no message is made of one. */
  readonly files?: FileLookUp;
}

/**
 * Settles a request: where it goes, what it answers, and what it acts on. The error that refuses it is returned, since a
 * repeated request gets its answer all the same. Rejects when the store does not answer.
 * @param to the address that the request's `to` stands for; undefined where it has none
 */
export async function settleRequest(
  body: OutboundMessage,
  to: string | undefined,
  nowMs: number,
  lookUp: RequestLookUp,
): Promise<SettledRequest | AppError> {
  const { envelope, content } = splitMessage(body);
  const fields = problemsOfContent(content, envelope.not_before, nowMs);
  if (fields.length > 0) return new AppError('invalid_request', { fields });
  const about = isAct(content) ? await settleAct(content, to, nowMs, lookUp) : { content, to: to ?? '' };
  if (about instanceof AppError) return about;
  const said =
    about.content.type === 'forward'
      ? await settleForward(about.content.forward.message_id, lookUp)
      : { content: about.content };
  if (said instanceof AppError) return said;
  const unpostable = refusalOfPost(envelope, said.content, about.to);
  if (unpostable !== undefined) return unpostable;
  const status = isAct(content) ? undefined : settleStatus(envelope, said.content, about.to, lookUp.own ?? []);
  if (status instanceof AppError) return status;
  const settled = await settleContext(envelope, about.to, lookUp);
  if (settled instanceof AppError) return settled;
  const chosen = await settleChoice(said.content, envelope, lookUp);
  if (chosen instanceof AppError) return chosen;
  // The file comes last: what is refused for another reason has no link fetched.
  const filed = await settleFile(chosen, lookUp.files);
  if (filed instanceof AppError) return filed;
  const { forwarded } = said;
  const context = forwarded === undefined ? settled : { ...settled, forwarded };
  const expiresAtMs = earliest('expiresAtMs' in about ? about.expiresAtMs : undefined, endOfUseMs(chosen));
  const end = expiresAtMs === undefined ? {} : { expiresAtMs };
  return {
    ...about,
    content: filed,
    ...(context === undefined ? {} : { context }),
    ...(status === undefined ? {} : { status }),
    ...end,
  };
}

const statusNames: ReadonlySet<string> = new Set(['status', STATUS]);

/** The address to send to: a phone number in international form, an address of WhatsApp, or the word for a status. Throws `recipient_invalid`. */
export function resolveRecipient(to: string): string {
  const recipient = statusNames.has(to.trim()) ? STATUS : (toRecipient(to) ?? toChannel(to));
  if (recipient !== undefined) return recipient;
  const problem =
    'Write it like +49 151 23456789, as the address of a person, group or channel that this API showed you, or as status.';
  throw new AppError('recipient_invalid', { fields: [{ field: 'to', problem }] });
}
