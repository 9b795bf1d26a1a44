/** The number of entries that have room: of one person, and of all together. */
export interface RoomRule {
  readonly ofOne: number;
  readonly ofAll: number;
}

/**
 * Room for entries that wait, shared by people who may mean harm. When all of it is taken, the person with most entries
 * makes room for one with fewer: so a few who send as much as they can leave everybody else what they need.
 */
export class FairRoom<Entry> {
  readonly #rule: RoomRule;
  /** The entries by person, the oldest first. A person without an entry is not in the map. */
  readonly #waiting = new Map<string, Entry[]>();
  #count = 0;

  constructor(rule: RoomRule) {
    this.#rule = rule;
  }

  get size(): number {
    return this.#count;
  }

  /**
   * Takes an entry in. Returns the one that has no room any more: the entry itself, or the newest of the person with
   * most of them, never that person's oldest, which may be worked on. Undefined where there is room for all.
   */
  enter(who: string, entry: Entry): Entry | undefined {
    const own = this.#waiting.get(who)?.length ?? 0;
    if (own >= this.#rule.ofOne) return entry;
    let displaced: Entry | undefined;
    if (this.#count >= this.#rule.ofAll) {
      const most = this.#largest();
      if (most === undefined || most.length <= own + 1) return entry;
      displaced = most.pop();
      this.#count -= 1;
    }
    const entries = this.#waiting.get(who) ?? [];
    entries.push(entry);
    this.#waiting.set(who, entries);
    this.#count += 1;
    return displaced;
  }

  /** The oldest entry of a person. */
  first(who: string): Entry | undefined {
    return this.#waiting.get(who)?.[0];
  }

  /** Gives the room of one entry back; a displaced entry has none. */
  leave(who: string, entry: Entry): void {
    const entries = this.#waiting.get(who);
    const at = entries?.indexOf(entry) ?? -1;
    if (entries === undefined || at === -1) return;
    entries.splice(at, 1);
    this.#count -= 1;
    if (entries.length === 0) this.#waiting.delete(who);
  }

  /** Gives back all room of one person. */
  leaveAll(who: string): void {
    this.#count -= this.#waiting.get(who)?.length ?? 0;
    this.#waiting.delete(who);
  }

  #largest(): Entry[] | undefined {
    let most: Entry[] | undefined;
    for (const entries of this.#waiting.values()) if (entries.length > (most?.length ?? 0)) most = entries;
    return most;
  }
}
