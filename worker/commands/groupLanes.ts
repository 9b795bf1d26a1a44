export interface LaneRecord {
  /** The group of the record. Records of one group are worked in order, one at a time. */
  readonly group: string;
}

export interface LaneDependencies<Item extends LaneRecord> {
  /** Works one record. Never rejects. `later` stops its group; so does `left`, which leaves the rest hidden until their time is over. */
  readonly work: (record: Item) => Promise<'done' | 'later' | 'left'>;
  /** Puts back a record that was not done and all held ones of its group behind it, in order. Never rejects. */
  readonly giveBack: (records: readonly Item[]) => Promise<void>;
  /** Whether work stops: records that were not begun are then put back. */
  readonly isStopping: () => boolean;
}

/**
 * Works groups side by side and each group in order. A group stops at its first record that is not done: that one and
 * the rest of the group are put back together, or left as they are. The caller that adds records bounds the number of groups.
 */
export class GroupLanes<Item extends LaneRecord> {
  readonly #dependencies: LaneDependencies<Item>;
  readonly #lanes = new Map<string, Item[]>();
  readonly #running = new Set<Promise<void>>();

  constructor(dependencies: LaneDependencies<Item>) {
    this.#dependencies = dependencies;
  }

  /** Adds records behind the earlier ones of their groups. */
  add(records: readonly Item[]): void {
    for (const record of records) {
      const lane = this.#lanes.get(record.group);
      if (lane !== undefined) lane.push(record);
      else this.#start(record.group, [record]);
    }
  }

  /** All records that are worked or wait. */
  held(): readonly Item[] {
    return [...this.#lanes.values()].flat();
  }

  /** Resolves when nothing is held. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(group: string, lane: Item[]): void {
    this.#lanes.set(group, lane);
    const running = this.#run(group, lane).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(group: string, lane: Item[]): Promise<void> {
    // Lanes begin after all records of a receive are in, so that a stop gives them back together.
    await Promise.resolve();
    const { work, giveBack, isStopping } = this.#dependencies;
    for (let record = lane[0]; record !== undefined; record = lane[0]) {
      const result = isStopping() ? 'later' : await work(record);
      if (result !== 'done') {
        // The lane ends first: a record that arrives while these go back is a new delivery and begins a new lane.
        this.#lanes.delete(group);
        if (result === 'later') await giveBack(lane);
        return;
      }
      lane.shift();
    }
    this.#lanes.delete(group);
  }
}
