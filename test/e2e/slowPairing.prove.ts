import { expect, it } from 'vitest';
import { pairSlowly } from './slowPairing.ts';

/**
 * Six round trips that need each other take 12 s, and the work of fifty pairings on two cores 10 to 20 s, or twice that where
 * they are slow. One after the other they would take ten minutes.
 */
const MOST_SECONDS = 90;

it('links fifty accounts at once while the workers’ store answers after two seconds, and loses none', async () => {
  const { lost, written, seconds } = await pairSlowly({ accounts: 50, storeMs: 2_000 });

  expect([lost, written]).toEqual([0, 50]);
  expect(seconds).toBeLessThan(MOST_SECONDS);
});
