import type { SendError, SendErrorCode } from '../../shared/message/sendError.ts';
import type { SentFileFacts } from '../../shared/media/sentFileFacts.ts';
import type { LookUp, SendOutcome } from '../socket/port/connectionSocket.ts';

import type { OutcomeWithFile } from './sendWithFile.ts';

/** The meaning of a try for the message (docs/sending.md has the table). */
export type Verdict =
  | {
      readonly verdict: 'sent';
      readonly members?: number | undefined;
      readonly statusBy?: 'first' | undefined;
      readonly atMs: number;
      readonly toAlias?: string | undefined;
      readonly toSelf?: true | undefined;
      readonly sentFile?: SentFileFacts | undefined;
    }
  | { readonly verdict: 'failed'; readonly error: SendError }
  /** The message may have left: it is sent again with the same stanza id, before anything newer of its chat. */
  | { readonly verdict: 'again' }
  /**
   * The message has not left, because a look-up was limited or not answered: it is tried again when that may be asked
   * again.
   */
  | { readonly verdict: 'waits'; readonly lookUp: LookUp; readonly limited: boolean };

/** The facts about a message beside the outcome of its try. */
export interface TriedMessage {
  /** The number of this try; 1 is the first. */
  readonly attempts: number;
  /** How long WhatsApp has limited a look-up of it. */
  readonly limitedForMs: number;
}

/** The number of tries on a socket, all without an answer, after which a message is given up. */
export const MAX_SEND_ATTEMPTS = 20;
/** How long a message waits for a limit of WhatsApp to end, in milliseconds. */
export const LIMITED_FOR_MOST_MS = 24 * 60 * 60 * 1_000;

/** WhatsApp's number for "too many of these". */
export const RATE_LIMIT = 429;

/**
 * The meaning of a refusal in the server's ack, by number; every other number is `refused`. WhatsApp documents none: 463 and
 * 475 were seen, and the others mean in an ack what they mean in answers to look-ups (believed).
 */
export const refusedMessages: Readonly<Record<number, SendErrorCode>> = {
  401: 'refused_not_allowed',
  403: 'refused_not_allowed',
  404: 'refused_no_recipient',
  410: 'refused_no_recipient',
  429: 'refused_too_fast',
  // These are for messages to people who never wrote to the account.
  463: 'refused_restricted',
  475: 'refused_restricted',
};

/** The meaning of the final answer to a look-up, by number; every other number is `look_up_refused`. */
const refusedLookUps: Readonly<Record<LookUp, Readonly<Record<number, SendErrorCode>>>> = {
  account: {},
  group: { 401: 'not_a_member', 403: 'not_a_member', 404: 'group_not_found', 410: 'group_not_found' },
  devices: {},
  keys: {},
  media: {},
};

/** The outcome of a try that was not held back, and got further than looking up a part of an audience or waiting for a file. */
export type TriedOutcome = Exclude<
  OutcomeWithFile,
  { readonly outcome: 'first_contact_waits' | 'audience_in_part' | 'file_waits' }
>;

/** Judges the outcome of a try. Definite answers end a message at once; silence and limits are bounded. */
export function judgeOutcome(outcome: TriedOutcome, tried: TriedMessage): Verdict {
  switch (outcome.outcome) {
    case 'acknowledged': {
      const { outcome: _acknowledged, ...told } = outcome;
      return { verdict: 'sent', ...told };
    }
    case 'no_account':
      return giveUp({ code: 'recipient_has_no_account' });
    case 'file_failed':
      return giveUp({ code: outcome.code });
    case 'no_viewers':
      return giveUp({ code: 'status_has_no_viewers' });
    case 'refused':
      return giveUp({ code: refusedMessages[outcome.code] ?? 'refused', ...shown(outcome.code) });
    case 'look_up_refused': {
      const { lookUp, code } = outcome;
      return giveUp({ code: refusedLookUps[lookUp][code] ?? 'look_up_refused', ...shown(code) });
    }
    case 'look_up_unanswered':
      return judgeUnanswered(outcome, tried);
    default:
      return tried.attempts >= MAX_SEND_ATTEMPTS ? giveUp({ code: 'too_many_attempts' }) : { verdict: 'again' };
  }
}

function judgeUnanswered(
  { lookUp, code: whatsappCode }: Extract<SendOutcome, { readonly outcome: 'look_up_unanswered' }>,
  { attempts, limitedForMs }: TriedMessage,
): Verdict {
  const limited = whatsappCode === RATE_LIMIT;
  const isOver = limited ? limitedForMs >= LIMITED_FOR_MOST_MS : attempts >= MAX_SEND_ATTEMPTS;
  if (!isOver) return { verdict: 'waits', lookUp, limited };
  const code = limited ? 'look_ups_limited' : 'too_many_attempts';
  return giveUp({ code, ...(whatsappCode === undefined ? {} : { whatsappCode }) });
}

/** WhatsApp's number, where it gave one: 0 stands for none. */
const shown = (code: number): Pick<SendError, 'whatsappCode'> => (code === 0 ? {} : { whatsappCode: code });
const giveUp = (error: SendError): Verdict => ({ verdict: 'failed', error });
