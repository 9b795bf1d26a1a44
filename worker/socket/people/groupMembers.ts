import type { GroupMetadata } from '@whiskeysockets/baileys';
import { LRUCache } from 'lru-cache';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { withoutDevice } from '../../../shared/kernel/jid.ts';

/** How long it is believed who is in a group. A notice of a change ends it at once. */
const BELIEVED_MS = 5 * 60_000;
/** How long a group is not asked about again that WhatsApp would not tell about. */
const LEFT_ALONE_MS = 30_000;
/** Names of members that one socket remembers: ten of the largest groups. */
const MOST_NAMES = 20_000;

export type Membership = 'member' | 'not_a_member' | 'unknown';

interface Known {
  /** Both addresses of each member; undefined when WhatsApp did not tell. */
  readonly names: ReadonlySet<string> | undefined;
  readonly atMs: number;
}

export interface GroupMembersOptions {
  /** Asks WhatsApp about a group. */
  readonly ask: (group: string) => Promise<GroupMetadata>;
  readonly timeoutMs: number;
  readonly monotonicMs: () => number;
}

/** Who is in which group, as WhatsApp tells. What is not known is said to be unknown: whoever decides by it fails closed. */
export class GroupMembers {
  readonly #options: GroupMembersOptions;
  /** Made with the first of them: most connections are in no group that they write to. */
  #groups: LRUCache<string, Known> | undefined;

  constructor(options: GroupMembersOptions) {
    this.#options = options;
  }

  /** Asks WhatsApp and remembers the answer. For Baileys too, which asks before it writes to a group. */
  readonly ask = async (group: string): Promise<GroupMetadata> => {
    const metadata = await this.#options.ask(group);
    const names = metadata.participants.flatMap(({ id, lid, phoneNumber }) => [id, lid, phoneNumber]);
    this.#note(group, new Set(names.flatMap((name) => (name === undefined ? [] : [withoutDevice(name)]))));
    return metadata;
  };

  /** Somebody came or went. */
  forget(group: string): void {
    this.#groups?.delete(group);
  }

  /** Whether somebody is in a group, without asking. @param names the addresses of that somebody, without device */
  known(group: string, names: readonly (string | undefined)[]): Membership {
    const known = this.#groups?.get(group);
    const isBelieved = known !== undefined && this.#options.monotonicMs() - known.atMs < BELIEVED_MS;
    return isBelieved ? judge(known, names) : 'unknown';
  }

  /** Whether somebody is in a group; WhatsApp is asked where it is not known. Never rejects. */
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
      // What was known before it was too old to be believed without asking is better than nothing, if there is something.
      if (known?.names !== undefined) return judge(known, names);
      this.#note(group, undefined);
      return 'unknown';
    }
    return this.known(group, names);
  }

  #note(group: string, names: ReadonlySet<string> | undefined): void {
    this.#groups ??= new LRUCache({
      // Counted by size and not by number: a number would reserve room for all of them at once.
      maxSize: MOST_NAMES,
      sizeCalculation: (known) => Math.max(1, known.names?.size ?? 0),
    });
    this.#groups.set(group, { names, atMs: this.#options.monotonicMs() });
  }
}

function judge({ names: members }: Known, names: readonly (string | undefined)[]): Membership {
  if (members === undefined) return 'unknown';
  return names.some((name) => name !== undefined && members.has(name)) ? 'member' : 'not_a_member';
}
