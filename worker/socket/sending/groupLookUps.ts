import type { GroupMetadata } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { asLookUp } from '../port/lookUpError.ts';

/**
 * Asks WhatsApp about the members of a group for each message to it, as Baileys does by itself. Asked here, a refusal
 * is known to be one of this look-up: the group does not exist, or the account is not in it.
 */
export class GroupLookUps {
  readonly #ask: (group: string) => Promise<GroupMetadata>;
  /** The members for the last message to a group. */
  #members: readonly string[] = [];

  constructor(ask: (group: string) => Promise<GroupMetadata>) {
    this.#ask = ask;
  }

  /** The hook for Baileys. Throws a `LookUpError`. */
  readonly find = async (group: string): Promise<GroupMetadata> => {
    const found = await asLookUp('group', () =>
      withDeadline('asking who is in a group', deadlines.send.ms, () => this.#ask(group)),
    );
    this.#members = found.participants.map(({ id }) => id);
    return found;
  };

  /** Addresses of the members of the group that was asked for last. */
  get members(): readonly string[] {
    return this.#members;
  }
}
