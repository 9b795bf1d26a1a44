import type { Session } from '../session/session.ts';

/** Whether a number is on WhatsApp. Asked once per recipient: a first message to nobody can restrict the account. */
export class Recipients {
  readonly #session: Pick<Session, 'getKeys'>;
  readonly #ask: (jid: string) => Promise<boolean>;
  readonly #known = new Set<string>();

  /** @param ask asks WhatsApp */
  constructor(session: Pick<Session, 'getKeys'>, ask: (jid: string) => Promise<boolean>) {
    this.#session = session;
    this.#ask = ask;
  }

  async hasAccount(to: string): Promise<boolean> {
    if (!to.endsWith('@s.whatsapp.net') || this.#known.has(to)) return true;
    const user = to.split('@')[0] ?? '';
    const mapping = await this.#session.getKeys('lid-mapping', [user]);
    if (mapping[user] === undefined && !(await this.#ask(to))) return false;
    this.#known.add(to);
    return true;
  }
}
