import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';
import { brokenVariants } from './variants.ts';
import { itFinds } from './worldCases.ts';

const SEED = 3;
/** Seeds after which these variants must have been found. */
const MOST_SEEDS = 20;
/** Found in the first worlds, so that they cost little: `simulation.prove.ts` looks for all, and in many more worlds. */
const SOON = new Set(['gate-not-asked-again', 'give-before-sockets-closed']);

describe('a simulated fleet', () => {
  it('keeps every promise in a world full of faults, which is the same world for the same seed', async () => {
    const [first, second] = [await simulate({ seed: SEED }), await simulate({ seed: SEED })];

    expect(first.violations).toEqual([]);
    expect(second.timeline).toEqual(first.timeline);
    expect(second.counts).toEqual(first.counts);
  });
});

describe('the checker finds what is wrong when', () => {
  const soon = brokenVariants.filter(({ name }) => SOON.has(name));
  it('has them among its variants', () => expect(soon).toHaveLength(SOON.size));

  itFinds(soon, MOST_SEEDS);
});
