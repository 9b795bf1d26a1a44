import { GateClosedError, type CommitGate } from './gate.ts';

/**
 * The gate of a fleet member that joins later: it is closed until then. Parts that ask it can be made before there is a
 * lease.
 */
export function makeLateGate(gate: () => CommitGate | undefined): CommitGate {
  const own = (): CommitGate => {
    const found = gate();
    if (found === undefined) throw new GateClosedError();
    return found;
  };
  return {
    isOpen: () => gate()?.isOpen() ?? false,
    timeLeftMs: () => gate()?.timeLeftMs() ?? 0,
    openForMs: () => gate()?.openForMs() ?? 0,
    assertOpen: () => own().assertOpen(),
    whenOpen: async (deadlineMs) => own().whenOpen(deadlineMs),
  };
}
