/** A callback that is due at some moment; cancelled ones are skipped. */
export interface Due {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Virtual time: callbacks run one after the other in the order of their moments, and between two of them everything that
 * can go on without time goes on (promises settle). Nothing else in a simulated world may wait for anything.
 */
export class VirtualTime {
  readonly #heap: Due[] = [];
  #order = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs something after a delay, never before what is already due at that moment. */
  after(delayMs: number, run: () => void): Due {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: (this.#order += 1), run };
    this.#push(due);
    return due;
  }

  /** Runs what is due until a moment, or until `isDone` says so after a step. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    await settled();
    for (let due = this.#heap[0]; due !== undefined && due.atMs <= untilMs; due = this.#heap[0]) {
      this.#pop();
      const { run } = due;
      if (run === undefined) continue;
      this.#nowMs = due.atMs;
      run();
      await settled();
      if (isDone()) return;
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, due)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[at * 2 + 1];
      const right = heap[at * 2 + 2];
      const [child, place] =
        right !== undefined && left !== undefined && isBefore(right, left) ? [right, at * 2 + 2] : [left, at * 2 + 1];
      if (child === undefined || isBefore(last, child)) break;
      heap[at] = child;
      at = place;
    }
    heap[at] = last;
  }
}

function isBefore(left: Due, right: Due): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

/** Everything that was resolved has gone on as far as it can: promise jobs run before the next turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
