import { collectedMemory } from '../bench/memory.ts';
import type { OpeningParts } from '../bench/ourFleet.ts';

/** What a process holds, after forced collections. */
export interface Residue {
  /** Heap and external memory, bytes. */
  readonly bytes: number;
  /** Timers that keep the process alive. */
  readonly timers: number;
  /** Network connections, to the parent included. */
  readonly handles: number;
  /** Listeners on the process itself, which is where careless code leaves some for each socket. */
  readonly listeners: number;
  /** Sockets that were made and are not collected; the open ones are among them. */
  readonly sockets: number;
  /** The same of sessions. */
  readonly sessions: number;
}

/** Counts what sockets leave behind: whatever is reachable is counted, by whoever it is held. */
export class ResidueCount {
  readonly #sockets = new Set<WeakRef<object>>();
  readonly #sessions = new Set<WeakRef<object>>();

  readonly watch = ({ socket, session }: OpeningParts): void => {
    this.#sockets.add(new WeakRef(socket));
    this.#sessions.add(new WeakRef(session));
  };

  async take(): Promise<Residue> {
    await collectedMemory();
    // What remembers the collected ones must not count as theirs.
    const [sockets, sessions] = [alive(this.#sockets), alive(this.#sessions)];
    const { used } = await collectedMemory();
    const resources = process.getActiveResourcesInfo();
    const timers = resources.filter((name) => name === 'Timeout' || name === 'Immediate').length;
    return {
      bytes: used,
      timers,
      handles: resources.length - timers,
      listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
      sockets,
      sessions,
    };
  }
}

function alive(references: Set<WeakRef<object>>): number {
  for (const reference of references) if (reference.deref() === undefined) references.delete(reference);
  return references.size;
}
