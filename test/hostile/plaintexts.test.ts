import { describe, expect, it } from 'vitest';
import { itGivesOneEventEach, SEED } from './plaintextCases.ts';
import { drawLot } from './plaintexts.ts';

/** `plaintexts.prove.ts` brings twenty times as many. */
const LOTS = 1;

describe('what a contact may put into a message', () => {
  itGivesOneEventEach(LOTS);

  it('is the same again for the same seed', () => {
    const [one, again, other] = [drawLot(SEED, 3, 50), drawLot(SEED, 3, 50), drawLot(SEED, 4, 50)];

    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});
