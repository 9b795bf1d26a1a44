/**
 * Flags of node under which the worker runs; the Dockerfile has the same. A small young generation: by default it grows with
 * the garbage of opening and of bursts to some 100 MB and stays, which is half of what a thousand idle connections need.
 * Collections come more often instead; `npm run bench:fleet` shows both.
 */
export const WORKER_NODE_FLAGS = ['--max-semi-space-size=2'] as const;
