import type { CommitGate } from '../../../worker/fleet/gate.ts';
import { GateClosedError } from '../../../worker/fleet/gate.ts';

/** A gate that is always open. */
export const openGate: CommitGate = {
  assertOpen: () => undefined,
  isOpen: () => true,
  timeLeftMs: () => 60_000,
  openForMs: () => Infinity,
  whenOpen: async () => undefined,
};

/** A gate that is closed for ever: the worker is fenced. */
export const fencedGate: CommitGate = {
  assertOpen: () => {
    throw new GateClosedError();
  },
  isOpen: () => false,
  timeLeftMs: () => 0,
  openForMs: () => 0,
  whenOpen: async () => {
    throw new GateClosedError();
  },
};

export interface SwitchGate extends CommitGate {
  /** Suspends: what waits goes on when it opens again. */
  readonly close: () => void;
  readonly open: () => void;
  /** Closes for ever. */
  readonly fence: () => void;
}

/** A gate that a test opens and closes. */
export function makeSwitchGate(): SwitchGate {
  let state: 'open' | 'closed' | 'fenced' = 'open';
  let openSinceMs = -Infinity;
  let changed = Promise.withResolvers<void>();
  const become = (next: typeof state): void => {
    if (next === 'open' && state !== 'open') openSinceMs = performance.now();
    state = next;
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const isOpen = (): boolean => state === 'open';
  return {
    isOpen,
    assertOpen: () => {
      if (!isOpen()) throw new GateClosedError();
    },
    timeLeftMs: () => (isOpen() ? 60_000 : 0),
    openForMs: () => (isOpen() ? performance.now() - openSinceMs : 0),
    whenOpen: async () => {
      while (!isOpen()) {
        if (state === 'fenced') throw new GateClosedError();
        await changed.promise;
      }
    },
    close: () => become('closed'),
    open: () => become('open'),
    fence: () => become('fenced'),
  };
}
