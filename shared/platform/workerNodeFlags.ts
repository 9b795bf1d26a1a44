/**
 * The flags of Node under which the worker runs. `npm run bench:fleet` shows their effect
 * and cost.
 *
 * The young generation of the heap is small: by default it grows with the garbage of opening and of bursts to some 100
 * MB and stays, which is half of what a thousand idle connections need. It is collected more often instead, and by one
 * thread: several took more CPU time for so little. WebAssembly (Baileys' app state and key derivation, the stripping
 * of types) is compiled once and not again to be faster: that took 12 MB, and nothing of it runs often.
 */
export const WORKER_NODE_FLAGS = ['--max-semi-space-size=4', '--no-parallel-scavenge', '--liftoff-only'] as const;

/** The same for a worker that was built: its stacks name the sources. The Dockerfile has these. */
export const BUILT_WORKER_NODE_FLAGS = [...WORKER_NODE_FLAGS, '--enable-source-maps'] as const;
