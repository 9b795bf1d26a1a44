import type { Fault, Outcome } from './inProcess.ts';
import type { PlaintextKind } from './plaintexts.ts';

/** Faults that are told with their input; of the others the number says enough. */
const MOST_TOLD = 20;

/** Figures of a run so far. Sums, so that those of several processes can be added. */
export interface FuzzFigures {
  readonly cases: number;
  readonly events: number;
  readonly silent: number;
  readonly neighbours: number;
  readonly faults: number;
  readonly told: readonly ToldFault[];
}

export interface ToldFault {
  readonly what: string;
  readonly kind: PlaintextKind;
  readonly lot: number;
  /** The plaintext in base64: `POST /phones/{number}/raw` accepts it. */
  readonly plaintext: string;
}

export const NOTHING_YET: FuzzFigures = { cases: 0, events: 0, silent: 0, neighbours: 0, faults: 0, told: [] };

export function figuresOf({ cases, events, silent, neighbours, faults }: Outcome, lot: number): FuzzFigures {
  return { cases, events, silent, neighbours, faults: faults.length, told: faults.map((fault) => toldOf(fault, lot)) };
}

export function add(one: FuzzFigures, other: FuzzFigures): FuzzFigures {
  return {
    cases: one.cases + other.cases,
    events: one.events + other.events,
    silent: one.silent + other.silent,
    neighbours: one.neighbours + other.neighbours,
    faults: one.faults + other.faults,
    told: [...one.told, ...other.told].slice(0, MOST_TOLD),
  };
}

/** Lines for a person. */
export function describeFaults({ told, faults }: FuzzFigures): readonly string[] {
  const lines = told.map(
    ({ what, kind, lot, plaintext }) => `${what} (${kind}, lot ${lot}): ${plaintext.slice(0, 400)}`,
  );
  return faults > told.length ? [...lines, `… and ${faults - told.length} more`] : lines;
}

function toldOf({ what, plaintext: { kind, bytes } }: Fault, lot: number): ToldFault {
  return { what, kind, lot, plaintext: bytes.toString('base64') };
}
