import { describe, expect, it } from 'vitest';
import { lanesIn } from '../../../shared/event/eventLanes.ts';
import { playLargeTenant } from './largeTenant.ts';

const MINUTES_20 = 1_200_000;

describe('a tenant with very many events', () => {
  it(
    'has 5,000 a second for a minute within the limits of a partition: none lost, none given up, each connection in order',
    async () => {
      const verdict = await playLargeTenant({
        seed: 1,
        seconds: 60,
        perSecond: () => 5_000,
        connections: 2_000,
        generation: 5,
        deaths: 0,
      });

      expect(verdict).toMatchObject({ givenUp: 0, violations: [], read: [verdict.told, verdict.told] });
      expect(verdict.told).toBeGreaterThan(299_000);
    },
    MINUTES_20,
  );

  it(
    'grows from one lane to sixteen under load, also while writers die, and no reader loses its place',
    async () => {
      const verdict = await playLargeTenant({
        seed: 2,
        seconds: 100,
        perSecond: (second) => Math.min(3_600, 350 * 2 ** (second / 20)),
        connections: 1_000,
        generation: 0,
        deaths: 1 / 5_000,
      });

      expect(verdict).toMatchObject({ violations: [], read: [verdict.told, verdict.told] });
      expect(lanesIn(verdict.generation)).toBeGreaterThanOrEqual(16);
    },
    MINUTES_20,
  );

  it(
    'comes suddenly upon a log with one lane: much is throttled and comes again, and nothing is lost',
    async () => {
      const verdict = await playLargeTenant({
        seed: 3,
        seconds: 60,
        perSecond: () => 3_000,
        connections: 1_000,
        generation: 0,
        deaths: 0,
      });

      expect(verdict).toMatchObject({ violations: [], read: [verdict.told, verdict.told] });
      expect(verdict.throttled).toBeGreaterThan(0);
    },
    MINUTES_20,
  );
});
