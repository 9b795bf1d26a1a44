import { describe, expect, it } from 'vitest';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { ownershipSettings } from '../../../shared/platform/ownershipConfig.ts';
import { deployedShape } from '../../simulation/rollingDeployCases.ts';

/** The deploys themselves are in `test/simulation/rollingDeploy.prove.ts`. */
describe('a rolling deploy, from the numbers of the template', () => {
  it('leaves old workers the time to protect themselves before the first new one is healthy', () => {
    const { HOLDFAST_HEARTBEAT_MS, HOLDFAST_LEADER_READ_MS } = ownershipSettings;
    const { healthIntervalMs } = deployedShape('small');
    // A look of the leader, the heartbeat that brings its order, each with its jitter, and the call.
    const longestMs =
      1.1 * (HOLDFAST_LEADER_READ_MS.parse(undefined) + HOLDFAST_HEARTBEAT_MS.parse(undefined)) +
      deadlines.taskProtection.ms;

    expect(2 * longestMs).toBeLessThan(healthIntervalMs);
  });
});
