import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';

/** The means to ask WhatsApp something. */
export interface Answering {
  readonly socket: Pick<ReturnType<typeof makeWASocket>, 'query'>;
  /** How long Baileys waits for an answer, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/** How far a deadline is beyond Baileys' own wait, in milliseconds, so that Baileys' wait ends first. */
const SLACK_MS = 500;

/**
 * The answer to a query. Throws the error that Baileys makes of a refusal, and `TimeoutError` for silence, for which
 * Baileys makes none.
 */
export async function answerTo({ socket, queryTimeoutMs }: Answering, stanza: BinaryNode): Promise<BinaryNode> {
  const answer: unknown = await withDeadline('an answer of WhatsApp', queryTimeoutMs + SLACK_MS, () =>
    socket.query(stanza),
  );
  if (answer === undefined) throw new TimeoutError('an answer of WhatsApp', queryTimeoutMs);
  return answer as BinaryNode;
}
