/** One piece of work at a time for each key; others wait in order. Keys without work take no memory. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` when everything that came earlier for the key is done, however it ended. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const earlier = this.#tails.get(key) ?? Promise.resolve();
    const mine = earlier.then(work);
    const tail = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** Runs `work` when it is the turn of all keys. Nothing that runs under a key may ask for the turn of another. */
  runAll<Result>(keys: readonly string[], work: () => Promise<Result>): Promise<Result> {
    const [first, ...others] = [...keys].sort();
    return first === undefined ? work() : this.run(first, () => this.runAll(others, work));
  }

  /** The number of keys that have work. */
  get size(): number {
    return this.#tails.size;
  }
}
