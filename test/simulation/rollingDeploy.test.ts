import { describe, expect, it } from 'vitest';
import { deployTwice, itMovesEachSocketOnce } from './rollingDeployCases.ts';

/** `simulation.prove.ts` has the shape 10k. The shape 100k is replaced in parts and is no such case (docs/deploy.md). */
describe('a rolling deploy, from the numbers of the template', () => {
  itMovesEachSocketOnce([
    ['small', 1, true],
    ['small', 2, false],
  ]);

  it('would find sockets that move twice, where new workers start in parts', async () => {
    const { owners } = await deployTwice('small', 1, false, { maximumPercent: 150 });

    expect(owners.some((generations) => generations.filter((generation) => generation === 2).length > 1)).toBe(true);
  }, 120_000);
});
