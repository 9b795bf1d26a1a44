import { describe, expect, it } from 'vitest';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { ownershipSettings } from '../../shared/platform/ownershipConfig.ts';
import {
  deployedShape,
  deployTwice,
  itLosesNothingWithoutProtection,
  itMovesEachSocketOnce,
} from './rollingDeployCases.ts';

/** `simulation.prove.ts` has the shape 10k, and two fifths of the shape 100k. */
describe('a rolling deploy, from the numbers of the template', () => {
  itMovesEachSocketOnce([['small', 1, true]]);
  itLosesNothingWithoutProtection([['small', 1, true]]);

  it('leaves old workers the time to protect themselves before the first new one is healthy', () => {
    const { HOLDFAST_HEARTBEAT_MS, HOLDFAST_LEADER_READ_MS } = ownershipSettings;
    const { healthIntervalMs } = deployedShape('small');
    // A look of the leader, the heartbeat that brings its order, each with its jitter, and the call.
    const longestMs =
      1.1 * (HOLDFAST_LEADER_READ_MS.parse(undefined) + HOLDFAST_HEARTBEAT_MS.parse(undefined)) +
      deadlines.taskProtection.ms;

    expect(2 * longestMs).toBeLessThan(healthIntervalMs);
  });

  it('loses nothing where new workers are healthy sooner than that: old ones drain', async () => {
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
