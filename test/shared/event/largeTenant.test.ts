import { describe, expect, it } from 'vitest';
import { playLargeTenant } from './largeTenant.ts';

describe('a tenant with 5,000 events a second', () => {
  it('loses none of them within the limits of a partition, and has those of a connection in order', async () => {
    const verdict = await playLargeTenant({
      seed: 1,
      seconds: 1,
      perSecond: () => 5_000,
      connections: 500,
      generation: 5,
      deaths: 0,
    });

    expect(verdict).toMatchObject({ givenUp: 0, violations: [], read: [verdict.told, verdict.told] });
    expect(verdict.told).toBeGreaterThan(4_900);
  });
});
