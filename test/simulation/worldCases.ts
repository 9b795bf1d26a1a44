import { expect, it } from 'vitest';
import { simulateGrowingOld } from './growingOld.ts';
import { simulateOutage } from './outage.ts';
import { simulate } from './simulate.ts';
import { SHARD_CAP } from './simulatedFleet.ts';
import type { Variant } from './variants.ts';

/** What `simulation.prove.ts` shows in many worlds, and `simulation.test.ts` in a few. */

const command = (seed: number): string => `npm run simulate -- --seed ${seed}`;

/** @param most the worlds that are tried, from the first seed on */
export function itKeepsEveryPromise(most: number): void {
  it(`keeps every promise in ${most} worlds full of faults; each broken one names the command that shows it again`, async () => {
    const broken: string[] = [];
    for (let seed = 1; seed <= most; seed += 1) {
      const { violations } = await simulate({ seed });
      broken.push(...violations.map(({ promise, what }) => `${command(seed)}   ${promise}: ${what}`));
    }

    expect(broken).toEqual([]);
  });
}

export function itIsSoundWhenWorkersGrowOldAndWhatsAppIsOut(seeds: readonly number[]): void {
  it.each([...seeds])(
    'replaces workers that grow old one at a time, never the last, with nothing lost or doubled (seed %i)',
    async (seed) => {
      const { violations, counts, recycled, mostDraining, fewestBeside } = await simulateGrowingOld(seed);

      expect(violations).toEqual([]);
      expect(counts).toMatchObject({ replaced: 0, resent: 0 });
      // Three workers, each replaced at least twice in three and a half lives.
      expect(recycled.length).toBeGreaterThanOrEqual(6);
      expect(mostDraining).toBe(1);
      expect(fewestBeside).toBeGreaterThanOrEqual(1);
    },
  );

  it.each([...seeds])(
    'tries only a few logins while WhatsApp is out for two minutes, and is back with their next turns, with nothing lost (seed %i)',
    async (seed) => {
      const outage = await simulateOutage(seed);

      expect(outage.violations).toEqual([]);
      expect(outage.counts).toMatchObject({ replaced: 0, resent: 0 });
      expect(outage.isNormalBefore).toBe(true);
      // Two periods of ten seconds show it to the leader; heartbeats bring the orders.
      expect(outage.toldAfterMs).toBeLessThan(35_000);
      // One a second from each worker, and what it had saved.
      const { logins, ms } = outage.canaries;
      expect(logins).toBeGreaterThan(0);
      expect(logins).toBeLessThanOrEqual(outage.workers * (ms / 1_000 + SHARD_CAP));
      expect(outage.calledOffAfterMs).toBeLessThan(60_000);
      // A connection that has just failed again waits for its next turn: five minutes at most, by default.
      expect(outage.backAfterMs).toBeLessThan(300_000);
    },
  );
}

/** @param most the seeds after which each of these variants must have been found */
export function itFinds(variants: readonly Variant[], most: number): void {
  it.each([...variants])('$fault ($name)', async (variant: Variant) => {
    let seed = 0;
    let found = 0;
    while (found === 0 && seed < most) {
      seed += 1;
      found = (await simulate({ seed, variant, stopsAtFirst: true })).violations.length;
    }

    expect(found, `nothing was found in ${seed} seeds`).toBeGreaterThan(0);
  });
}
