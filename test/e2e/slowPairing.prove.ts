import { expect, it } from 'vitest';
import { pairSlowly } from './slowPairing.ts';

/** Six round trips that need each other, and the work of fifty pairings on two cores. */
const MOST_SECONDS = 30;

it('links fifty accounts at once while the workers’ store answers after two seconds, and loses none', async () => {
  const { lost, written, seconds } = await pairSlowly({ accounts: 50, storeMs: 2_000 });

  expect([lost, written]).toEqual([0, 50]);
  expect(seconds).toBeLessThan(MOST_SECONDS);
}, 300_000);
