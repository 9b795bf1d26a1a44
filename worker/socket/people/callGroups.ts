import { toRecipient } from '../../../shared/kernel/jid.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { Budgets } from '../port/budgets.ts';
import type { GroupMembers } from './groupMembers.ts';

/** The number of questions to WhatsApp that the calls of all callers of one connection can cause together. */
const QUESTIONS = { burst: 3, perSecond: 1 / 60 } as const;

export interface CallGroupsParts {
  readonly members: Pick<GroupMembers, 'known' | 'find'>;
  /** The other name of a person, without device, where it is known. */
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  readonly monotonicMs: () => number;
}

/**
 * Whether callers are in the group that they name in their call. The name is their own choice: a question goes only to
 * the address of a group, because WhatsApp may end the connection of an account that asks nonsense, and the call would
 * come again. And every stanza behind the call waits for the answer, so only few questions are asked; without one the
 * group is not shown.
 */
export class CallGroups {
  readonly #parts: CallGroupsParts;
  readonly #budgets: Budgets;

  constructor(parts: CallGroupsParts) {
    this.#parts = parts;
    this.#budgets = new Budgets(QUESTIONS, parts.monotonicMs);
  }

  /**
   * Whether a caller is in a group. Never rejects because of WhatsApp; false where it is not known.
   * @param caller the caller without device
   */
  readonly isIn = async (group: string, caller: string): Promise<boolean> => {
    if (!isGroup(group) || toRecipient(group) !== group) return false;
    const { members, otherNameOf } = this.#parts;
    const names = [caller, await otherNameOf(caller)];
    const known = members.known(group, names);
    if (known !== 'unknown' || !this.#budgets.take('calls')) return known === 'member';
    return (await members.find(group, names)) === 'member';
  };
}
