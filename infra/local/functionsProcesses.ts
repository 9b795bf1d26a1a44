import { availableParallelism } from 'node:os';

/** The most processes for functions. */
const MOST = 4;
/**
 * The number of cores that one process of functions keeps busy. Functions take a quarter of the CPU of a message, stores,
 * workers and simulator the rest: with fewer cores a second process accepts no more, costs a tenth more CPU for each
 * message, as its batches and connections are its own, and 170 MB.
 */
const CORES_EACH = 4;

/** The number of processes for functions on this machine. Only Linux lets processes share a port this way. */
export function functionsProcesses(cores = availableParallelism(), platform: string = process.platform): number {
  return platform === 'linux' ? Math.max(1, Math.min(MOST, Math.floor(cores / CORES_EACH))) : 1;
}
