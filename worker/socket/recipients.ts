import type { makeWASocket } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { Session } from '../session/session.ts';

/** Who is on WhatsApp. Asked once per recipient: a first message to nobody can restrict the account. */
export class Recipients {
  readonly #session: Pick<Session, 'getKeys'>;
  readonly #socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>;
  readonly #queryTimeoutMs: number;
  readonly #known = new Set<string>();

  /** @param queryTimeoutMs how long Baileys waits for an answer */
  constructor(
    session: Pick<Session, 'getKeys'>,
    socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>,
    queryTimeoutMs: number,
  ) {
    this.#session = session;
    this.#socket = socket;
    this.#queryTimeoutMs = queryTimeoutMs;
  }

  /** Whether a number has an account; groups and LIDs are taken to exist. Throws when WhatsApp does not answer. */
  async hasAccount(to: string): Promise<boolean> {
    if (!to.endsWith('@s.whatsapp.net') || this.#known.has(to)) return true;
    const user = to.split('@')[0] ?? '';
    const mapping = await this.#session.getKeys('lid-mapping', [user]);
    if (mapping[user] === undefined) {
      const answers = await withDeadline('asking who has an account', deadlines.send.ms, () =>
        this.#socket.onWhatsApp(to),
      );
      // Baileys says nothing when its query was not answered in time; "no account" would end the message for good.
      if (answers === undefined) throw new TimeoutError('asking who is on WhatsApp', this.#queryTimeoutMs);
      if (answers[0]?.exists !== true) return false;
    }
    this.#known.add(to);
    return true;
  }
}
