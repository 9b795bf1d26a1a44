import { describe, expect, it } from 'vitest';
import { add, describeFaults, figuresOf, NOTHING_YET } from './fuzzReport.ts';
import { Passage } from './inProcess.ts';
import { drawLot, knownPlaintexts, LOT } from './plaintexts.ts';

/** Another one than that of `npm run fuzz`, which brings a million. */
const SEED = 20_261_128;
const LOTS = 20;

describe('what a contact may put into a message', () => {
  it('gives one event each, 20,000 times, and loses nobody else a message', async () => {
    let figures = NOTHING_YET;
    for (let lot = 0; lot < LOTS; lot += 1) {
      const passage = new Passage();
      await passage.bring(lot === 0 ? [...knownPlaintexts, ...drawLot(SEED, lot)] : drawLot(SEED, lot));
      figures = add(figures, figuresOf(passage.outcome(), lot));
    }

    expect(describeFaults(figures)).toEqual([]);
    expect(figures).toMatchObject({ cases: knownPlaintexts.length + LOTS * LOT });
    expect(figures.neighbours).toBeGreaterThanOrEqual((LOTS * LOT) / 10);
    // A harness that brings nothing through would find nothing either.
    expect(figures.events).toBeGreaterThan(figures.cases * 0.8);
  }, 180_000);
});
