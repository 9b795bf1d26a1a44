import { expect, it } from 'vitest';
import { pairSlowly } from './slowPairing.ts';

it('links accounts while the workers’ store takes its time: all come online, and write and read at once', async () => {
  const { lost, written } = await pairSlowly({ accounts: 3, storeMs: 300 });

  expect([lost, written]).toEqual([0, 3]);
});
