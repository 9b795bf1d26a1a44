import type { makeWASocket } from '@whiskeysockets/baileys';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { Session } from '../session/session.ts';

/** Who is on WhatsApp. Asked once per recipient: a first message to nobody can restrict the account. */
export class Recipients {
  readonly #session: Pick<Session, 'getKeys'>;
  readonly #socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>;
  readonly #known = new Set<string>();

  constructor(session: Pick<Session, 'getKeys'>, socket: Pick<ReturnType<typeof makeWASocket>, 'onWhatsApp'>) {
    this.#session = session;
    this.#socket = socket;
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
      const [answer] = answers ?? [];
      if (answer?.exists !== true) return false;
    }
    this.#known.add(to);
    return true;
  }
}
