import { withoutDevice } from '../../../shared/kernel/jid.ts';
import type { Session } from '../../session/session.ts';
import type { SessionRenewals } from '../signal/sessionRenewals.ts';
import { isMe, type Me } from '../wire/envelope.ts';
import { findOtherNames } from './contactNames.ts';

export interface KnownPeopleParts {
  readonly session: Pick<Session, 'getKeys'>;
  readonly me: () => Me;
  readonly renewals: Pick<SessionRenewals, 'welcome'>;
}

/** People under both of their addresses, as far as the second one is known. */
export class KnownPeople {
  readonly #parts: KnownPeopleParts;

  constructor(parts: KnownPeopleParts) {
    this.#parts = parts;
  }

  /** Whether an address, without device, is that of the account itself. */
  readonly isMe = (jid: string): boolean => isMe(jid, this.#parts.me());

  /** Finds the other name of a person, without device, where it is known. It asks nothing of WhatsApp. */
  readonly otherNameOf = async (jid: string): Promise<string | undefined> => {
    const { session, me } = this.#parts;
    return (await findOtherNames(session, [jid], me())).get(jid);
  };

  /** Allows a new session with a person under both addresses: it is kept under one, and asked for under the other. */
  readonly welcomeNewSession = async (jid: string): Promise<void> => {
    const other = await this.otherNameOf(withoutDevice(jid));
    for (const address of [jid, other]) if (address) this.#parts.renewals.welcome(address);
  };
}
