import { setTimeout as sleep } from 'node:timers/promises';

const ROUNDS = 4;
const BETWEEN_MS = 100;

/** Memory of this process after forced collections, in bytes. Needs `--expose-gc`. */
export async function collectedMemory(): Promise<{ readonly used: number; readonly resident: number }> {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc();
    // What finalizers let go of is collected by the next round.
    await sleep(BETWEEN_MS);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
