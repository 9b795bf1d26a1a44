import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import type { ActionKind, RequestOf, ResultOf } from '../../../shared/action/actionKinds.ts';
import type { Presence } from '../../../shared/connection/settings.ts';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import type { ActionOutcome } from '../port/actionOutcome.ts';
import type { Recipients } from '../sending/recipients.ts';

/** What an action is asked with: one open socket, and what is known of people. */
export interface Asking {
  readonly socket: ReturnType<typeof makeWASocket>;
  readonly recipients: Pick<Recipients, 'resolve' | 'learn'>;
  /** The other name of a person, where it is known. Asks nothing. */
  readonly otherNameOf: (address: string) => Promise<string | undefined>;
  /** What this socket announced of the account. */
  readonly presence: Presence;
  /** A new tag for a query, as Baileys makes them. */
  readonly makeTag: () => string;
  /** How long Baileys waits for an answer. */
  readonly queryTimeoutMs: number;
}

/**
 * Asks WhatsApp for one kind of action. Returns what it answered; what is thrown is judged by `askWhatsApp`: a refusal with a number
 * and silence need no word here.
 */
export type Ask<Kind extends ActionKind> = (
  asking: Asking,
  request: RequestOf<Kind>,
) => Promise<Extract<ActionOutcome<ResultOf<Kind>>, { readonly outcome: 'succeeded' | 'refused' | 'unanswered' }>>;

/** Beyond Baileys' own wait: it ends first. */
const SLACK_MS = 500;

/** The answer to a query. Throws what Baileys makes of a refusal, and `TimeoutError` for silence, of which Baileys says nothing. */
export async function answerTo({ socket, queryTimeoutMs }: Asking, stanza: BinaryNode): Promise<BinaryNode> {
  const answer: unknown = await withDeadline('an answer of WhatsApp', queryTimeoutMs + SLACK_MS, () =>
    socket.query(stanza),
  );
  if (answer === undefined) throw new TimeoutError('an answer of WhatsApp', queryTimeoutMs);
  return answer as BinaryNode;
}
