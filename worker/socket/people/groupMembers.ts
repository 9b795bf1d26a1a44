import type { GroupMetadata } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';

/** How long the members of a group are believed, in milliseconds. A notice of a change ends it at once. */
const BELIEVED_MS = 5 * 60_000;
/**
 * How long a message is sealed for the members that are known, in milliseconds. WhatsApp gives a message to nobody who is no
 * member any more, and who is missing here asks for it, so that a notice that got lost costs little.
 */
const SENT_BY_MS = 60 * 60_000;
/** How long a group is not asked about again after WhatsApp gave no answer, in milliseconds. */
const LEFT_ALONE_MS = 30_000;
/** The number of names of members that one socket remembers: ten of the largest groups. */
const MOST_NAMES = 20_000;

export type Membership = 'member' | 'not_a_member' | 'unknown';

interface Known {
  /** Both addresses of each member, each with the other one where it is known; undefined when WhatsApp gave none. */
  readonly names: ReadonlyMap<string, string | undefined> | undefined;
  /** The group as WhatsApp gave it, without its description; undefined when it gave none. */
  readonly metadata: GroupMetadata | undefined;
  readonly atMs: number;
}

export interface GroupMembersOptions {
  /** Asks WhatsApp about a group. */
  readonly ask: (group: string) => Promise<GroupMetadata>;
  readonly timeoutMs: number;
  readonly monotonicMs: () => number;
}

/**
 * The members of groups, as WhatsApp gives them. Unknown members are reported as unknown: a caller that decides by it
 * fails closed.
 */
export class GroupMembers {
  readonly #options: GroupMembersOptions;
  /** The groups; made with the first of them, as most connections are in no group that they write to. */
  #groups: LRUCache<string, Known> | undefined;
  /** How many changes of groups were told of. */
  #changes = 0;

  constructor(options: GroupMembersOptions) {
    this.#options = options;
  }

  /** Asks WhatsApp and remembers the answer. Baileys calls it too, before it writes to a group. */
  readonly ask = async (group: string): Promise<GroupMetadata> => {
    const changes = this.#changes;
    const metadata = await this.#options.ask(group);
    const names = metadata.participants.flatMap(({ id, lid, phoneNumber }) => {
      const all = [id, lid, phoneNumber].flatMap((name) => (name === undefined ? [] : [withoutDevice(name)]));
      return all.map((name) => [name, otherNameOf(name, all)] as const);
    });
    const { desc: _description, ...kept } = metadata;
    // A change that was told of meanwhile may be younger than the answer.
    this.#note(group, new Map(names), changes === this.#changes ? kept : undefined);
    return metadata;
  };

  /**
   * The group as it was last told, where that serves to write to it: WhatsApp is asked about a busy group once an hour, and
   * after each notice of a change. Undefined where WhatsApp has to be asked.
   */
  knownForSending(group: string): GroupMetadata | undefined {
    const known = this.#groups?.get(group);
    const isFresh = known !== undefined && this.#options.monotonicMs() - known.atMs < SENT_BY_MS;
    return isFresh ? known.metadata : undefined;
  }

  /** The group, for a message to it. Rejects where WhatsApp has to be asked and does not tell. */
  async forSending(group: string): Promise<GroupMetadata> {
    return this.knownForSending(group) ?? (await this.ask(group));
  }

  /** Forgets a group, as its members have changed. */
  forget(group: string): void {
    this.#changes += 1;
    this.#groups?.delete(group);
  }

  /**
   * Whether a person is in a group, without a question to WhatsApp.
   * @param names the addresses of the person, without device
   */
  known(group: string, names: readonly (string | undefined)[]): Membership {
    const known = this.#groups?.get(group);
    const isBelieved = known !== undefined && this.#options.monotonicMs() - known.atMs < BELIEVED_MS;
    return isBelieved ? judge(known, names) : 'unknown';
  }

  /** The other address of a member, where WhatsApp gave both. It does not change, so that old knowledge serves as well. */
  otherName(group: string, jid: string): string | undefined {
    return this.#groups?.get(group)?.names?.get(jid);
  }

  /** Whether a person is in a group; WhatsApp is asked where it is not known. Never rejects. */
  async find(group: string, names: readonly (string | undefined)[]): Promise<Membership> {
    const { monotonicMs, timeoutMs } = this.#options;
    const before = this.known(group, names);
    if (before !== 'unknown') return before;
    const known = this.#groups?.get(group);
    if (known?.names === undefined && known !== undefined && monotonicMs() - known.atMs < LEFT_ALONE_MS)
      return 'unknown';
    try {
      await withDeadline('asking who is in a group', timeoutMs, () => this.ask(group));
    } catch {
      // Knowledge that is too old to be believed without asking is better than none.
      if (known?.names !== undefined) return judge(known, names);
      this.#note(group, undefined, undefined);
      return 'unknown';
    }
    return this.known(group, names);
  }

  #note(group: string, names: Known['names'], metadata: Known['metadata']): void {
    this.#groups ??= new LRUCache({
      // The cache counts by size and not by number: a number would reserve room for all entries at once.
      maxSize: MOST_NAMES,
      sizeCalculation: (known) => Math.max(1, known.names?.size ?? 0),
    });
    this.#groups.set(group, { names, metadata, atMs: this.#options.monotonicMs() });
  }
}

function judge({ names: members }: Known, names: readonly (string | undefined)[]): Membership {
  if (members === undefined) return 'unknown';
  return names.some((name) => name !== undefined && members.has(name)) ? 'member' : 'not_a_member';
}
