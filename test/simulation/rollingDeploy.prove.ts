import { describe, expect, it } from 'vitest';
import { deployTwice, itLosesNothingWithoutProtection, itMovesEachSocketOnce } from './rollingDeployCases.ts';

describe('a rolling deploy, from the numbers of the template', () => {
  itMovesEachSocketOnce([
    ['small', 1, true],
    ['small', 2, false],
    ['small', 3, false],
    ['small', 4, true],
    ['10k', 1, false],
    ['10k', 2, true],
    // Two fifths of the shape: more workers than open at once, and more sockets than a drain has time for.
    ['100k', 1, true, { desiredCount: 50, shardCount: 500 }],
  ]);
  itLosesNothingWithoutProtection([
    ['small', 1, true],
    ['10k', 1, false],
  ]);

  it('loses nothing where new workers are healthy before old ones have protected themselves: old ones drain', async () => {
    const { violations, logins, longestStopMs } = await deployTwice('small', 3, true, { healthIntervalMs: 0 });

    expect(violations).toEqual([]);
    expect(logins.filter((count) => count > 2)).toEqual([]);
    expect(longestStopMs).toBeGreaterThan(5_000);
  });

  it('would find sockets that move twice, where new workers start in parts', async () => {
    const { owners } = await deployTwice('small', 1, false, { maximumPercent: 150 });

    expect(owners.some((generations) => generations.filter((generation) => generation === 2).length > 1)).toBe(true);
  });
});
