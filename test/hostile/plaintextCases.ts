import { expect, it } from 'vitest';
import { add, describeFaults, figuresOf, NOTHING_YET } from './fuzzReport.ts';
import { Passage } from './inProcess.ts';
import { drawLot, knownPlaintexts, LOT } from './plaintexts.ts';

/** The seed of tests and proof: another one than that of `npm run fuzz`, which brings a million. */
export const SEED = 20_261_128;

/** What `plaintexts.test.ts` shows with a few lots of plaintexts, and `plaintexts.prove.ts` with many. */
export function itGivesOneEventEach(lots: number): void {
  it(`gives one event each, ${lots * LOT} times, and loses nobody else a message`, async () => {
    let figures = NOTHING_YET;
    for (let lot = 0; lot < lots; lot += 1) {
      const passage = new Passage();
      await passage.bring(lot === 0 ? [...knownPlaintexts, ...drawLot(SEED, lot)] : drawLot(SEED, lot));
      figures = add(figures, figuresOf(passage.outcome(), lot));
    }

    expect(describeFaults(figures)).toEqual([]);
    expect(figures).toMatchObject({ cases: knownPlaintexts.length + lots * LOT });
    expect(figures.neighbours).toBeGreaterThanOrEqual((lots * LOT) / 10);
    // A harness that brings nothing through would find nothing either.
    expect(figures.events).toBeGreaterThan(figures.cases * 0.8);
  });
}
