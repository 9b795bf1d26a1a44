import type { GroupMetadata } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { GroupMembers } from '../people/groupMembers.ts';
import { asLookUp } from '../port/lookUpError.ts';

/**
 * Finds the members of a group for each message to it. WhatsApp is asked where they are not known; asked here and not by
 * Baileys, a refusal is known to be one of this look-up: the group does not exist, or the account is not in it.
 */
export class GroupLookUps {
  readonly #known: Pick<GroupMembers, 'forSending' | 'knownForSending' | 'forget'>;
  /** The members for the last message to a group. */
  #members: readonly string[] = [];

  constructor(known: Pick<GroupMembers, 'forSending' | 'knownForSending' | 'forget'>) {
    this.#known = known;
  }

  /** The hook for Baileys. Throws a `LookUpError`. */
  readonly find = async (group: string): Promise<GroupMetadata> => {
    const found = await asLookUp('group', () =>
      withDeadline('asking who is in a group', deadlines.send.ms, () => this.#known.forSending(group)),
    );
    this.#members = found.participants.map(({ id }) => id);
    return found;
  };

  /** Whether a message to a group needs no question about it. */
  isKnown(group: string): boolean {
    return this.#known.knownForSending(group) !== undefined;
  }

  /** Has WhatsApp asked for the next message to a group: the account has changed it, or a message to it was refused. */
  forget(group: string): void {
    this.#known.forget(group);
  }

  /** Addresses of the members of the group that was asked for last. */
  get members(): readonly string[] {
    return this.#members;
  }
}
