import { isPerson, parseJid } from '../../../shared/kernel/jid.ts';
import type { Logger } from '../../../shared/platform/logger.ts';
import type { Session } from '../../session/session.ts';
import { isMe, type Me } from '../wire/envelope.ts';

export interface TalkedWithParts {
  readonly session: Pick<Session, 'getKeys' | 'setKeysBehind'>;
  readonly me: () => Me;
  readonly logger: Pick<Logger, 'warn'>;
}

/** The mark of a person with whom the account has talked; it is kept in the item of what else is known of that person. */
const TALKED = 'talked';

/**
 * The people with whom the account has talked: who wrote to it, to whom its phone or another of its devices wrote, and to whom
 * a message of ours was acknowledged. A message to anybody else is a first contact (docs/pacing.md). Only a chat with that
 * person counts: who shares a group with the account is still a stranger, although there is a Signal session with each of its
 * devices.
 *
 * A mark goes into the item that holds the addresses and devices of that person, which is written with a first contact in any
 * case, and once: later messages only read it, from memory. It may be written two seconds later. A kill before that forgets
 * it, and the person counts as a stranger once more, which errs on the side that protects the account.
 */
export class TalkedWith {
  readonly #parts: TalkedWithParts;

  constructor(parts: TalkedWithParts) {
    this.#parts = parts;
  }

  /** Whether the account has talked with a person, by any of its addresses. A message to itself is to nobody new. */
  async isKnown(addresses: readonly (string | undefined)[]): Promise<boolean> {
    const me = this.#parts.me();
    if (addresses.some((address) => address !== undefined && isMe(address, me))) return true;
    return Object.keys(await this.#marked(toIds(addresses))).length > 0;
  }

  /**
   * Marks a person under these addresses. Groups, and the account itself, are left out. Never rejects: what it is told of has
   * happened, whether or not that can be noted.
   */
  async note(addresses: readonly (string | undefined)[]): Promise<void> {
    const { session, me, logger } = this.#parts;
    const ids = toIds(addresses.filter((address) => address !== undefined && !isMe(address, me())));
    try {
      const marked = await this.#marked(ids);
      const missing = ids.filter((id) => marked[id] === undefined);
      if (missing.length === 0) return;
      await session.setKeysBehind({ [TALKED]: Object.fromEntries(missing.map((id) => [id, true])) });
    } catch (error) {
      logger.warn('a first contact is not noted', { error });
    }
  }

  async #marked(ids: readonly string[]): Promise<Record<string, unknown>> {
    return ids.length === 0 ? {} : this.#parts.session.getKeys(TALKED, ids);
  }
}

/** The names of the marks of addresses: the address itself, as the digits of a LID may be those of a number. */
function toIds(addresses: readonly (string | undefined)[]): readonly string[] {
  const ids = addresses.flatMap((address) => {
    const jid = address !== undefined && isPerson(address) ? parseJid(address) : undefined;
    return jid === undefined ? [] : [`${jid.user}@${jid.server}`];
  });
  return [...new Set(ids)];
}
