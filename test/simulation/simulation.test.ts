import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';
import { brokenVariants } from './variants.ts';
import { itFinds, itKeepsEveryPromise } from './worldCases.ts';

const SEEDS = 4;
/** Seeds after which these variants must have been found. */
const MOST_SEEDS = 20;
/** Found after many seeds, such as those that need a pause of just the length of a death: `simulation.prove.ts` looks for all. */
const RARE = new Set([
  'no-self-fence',
  'claim-without-observed-heartbeat',
  'stored-expiry',
  'heartbeat-of-the-dead',
  'made-anew',
]);

describe('a simulated fleet', () => {
  itKeepsEveryPromise(SEEDS);

  it('is the same world for the same seed', async () => {
    const [first, second] = [await simulate({ seed: 3 }), await simulate({ seed: 3 })];

    expect(second.timeline).toEqual(first.timeline);
    expect(second.counts).toEqual(first.counts);
  });
});

describe('the checker finds what is wrong when', () => {
  itFinds(
    brokenVariants.filter(({ name }) => !RARE.has(name)),
    MOST_SEEDS,
  );
});
