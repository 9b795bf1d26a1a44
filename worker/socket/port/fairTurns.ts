/**
 * The number of stanzas that are begun in one turn of the event loop. One costs about a millisecond, so heartbeats,
 * pings and sends wait for about ten; with one alone a loop that is busy with other things would receive next to
 * nothing.
 */
const STARTS_PER_TURN = 8;

/**
 * Turns on the event loop, in the order in which they were asked for. Work that runs from promise to promise never lets
 * the loop go on: thousands of waiting messages would hold up every other connection, and the worker's own heartbeats.
 */
export class FairTurns {
  readonly #startsPerTurn: number;
  #waiting: (() => void)[] = [];

  constructor(startsPerTurn: number = STARTS_PER_TURN) {
    this.#startsPerTurn = startsPerTurn;
  }

  /** Resolves when the caller's turn has come. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#give);
    });
  }

  readonly #give = (): void => {
    const starts = this.#waiting.slice(0, this.#startsPerTurn);
    this.#waiting = this.#waiting.slice(this.#startsPerTurn);
    // The waiting ones are taken out before they begin: a caller that asks again meanwhile waits behind them.
    if (this.#waiting.length > 0) setImmediate(this.#give);
    for (const start of starts) start();
  };
}

/** The turns of all connections of this process. */
export const inboundTurns = new FairTurns();

/**
 * The turns in which copies of messages are sealed, and sessions for them begun. A message to a thousand people is sealed for
 * each of their devices, from promise to promise: half a second, and more on a busy machine, in which no other connection would be heard.
 */
export const sealingTurns = new FairTurns();
