/**
 * This module is loaded into each child process of the embedded stack: it gives memory back when the process has come to
 * rest. V8 lets a heap grow while there is much to do and hardly takes anything back afterwards, as then nothing makes it
 * collect; a worker that had paired 25 accounts kept 40 MB of holes. Each step stops the process for a tenth of a second, so it is
 * made only while there is next to nothing to do, and not again before the heap has grown.
 */
/** What is seen of a process at one look. */
export interface Look {
  /** The share of a core that it used since the look before. */
  readonly busy: number;
  readonly heapBytes: number;
}

const LOOK_MS = 2_000;
/** The share of a core below which a process is at rest; a step before this look counts, too. */
const AT_REST = 0.15;
/** How much larger a heap must be to be worth a step. What a worker at rest allocates lets it grow by a fifth between two collections of V8's own. */
const GROWN = 1.4;
const WORTH = 0.95;

/** Whether a step pays: the process rests, and its heap is larger than the last steps could leave it. */
export function isStepDue({ busy, heapBytes }: Look, tidyBytes: number): boolean {
  return busy < AT_REST && heapBytes > tidyBytes * GROWN;
}

/** The size that counts as tidy after a step: the present one when the step brought little, otherwise another step may follow. */
export function tidyAfter(beforeBytes: number, afterBytes: number, tidyBytes: number): number {
  return afterBytes > beforeBytes * WORTH ? afterBytes : Math.min(tidyBytes, afterBytes);
}

const { gc } = globalThis;
if (gc !== undefined) {
  let before = { cpu: process.cpuUsage(), atMs: performance.now() };
  let tidyBytes = 0;
  const look = (): void => {
    const spent = process.cpuUsage(before.cpu);
    const atMs = performance.now();
    const busy = (spent.user + spent.system) / 1_000 / (atMs - before.atMs);
    before = { cpu: process.cpuUsage(), atMs };
    const heapBytes = process.memoryUsage().heapTotal;
    if (!isStepDue({ busy, heapBytes }, tidyBytes)) return;
    gc({ type: 'major', flavor: 'last-resort', execution: 'sync' });
    tidyBytes = tidyAfter(heapBytes, process.memoryUsage().heapTotal, tidyBytes);
  };
  setInterval(look, LOOK_MS).unref();
}
