import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../functions/watchdog/decide.ts';
import { noWatchdogMemory, STEPS_KEPT } from '../../../functions/watchdog/watchdogMemory.ts';
import type { ConnectionVitals } from '../../../shared/connection/liveness.ts';
import type { FleetView } from '../../../shared/fleet/fleetView.ts';
import { aFleet, aLease, shardsOf } from '../../worker/fleet/views.ts';
import { aConnectionId, aFrozenConnection, digestsOf, rules } from './builders.ts';
import { live, MINUTE_MS, START_MS, threeWorkers, times, type Minute } from './minutes.ts';

describe('the brake', () => {
  const manyWorkers = (count: number): FleetView =>
    aFleet(
      Array.from({ length: count }, (_, index) => aLease(index + 1)),
      shardsOf(...Array.from({ length: count }, (_, index) => index + 1)),
    );
  const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
  const frozenOnes = (count: number, shard: number): readonly ConnectionVitals[] =>
    numbers(count).map((number) => aFrozenConnection(shard * 100 + number, shard));

  it.each([
    { workers: 14, silent: 3, isBraking: true },
    { workers: 15, silent: 3, isBraking: false },
    { workers: 3, silent: 2, isBraking: false },
    { workers: 3, silent: 3, isBraking: true },
  ])('with $silent of $workers workers silent: $isBraking', ({ workers, silent, isBraking }) => {
    const fleet = manyWorkers(workers);

    const { decisions } = live([{ fleet }, { fleet, silent: numbers(silent) }]);

    expect(decisions[1]?.isBraking).toBe(isBraking);
    expect(decisions[1]?.steps).toHaveLength(isBraking ? 0 : silent);
  });

  it('holds back each step above restart, and what was held back does not count', () => {
    const fleet = manyWorkers(1);
    // 10 of 50 are not more than a fifth of the 40 that are online and well, and 11 of 39 are.
    const suspects = frozenOnes(11, 0);

    const { decisions, memory } = live(times(6, { fleet, suspects }));

    expect(decisions.map(({ isBraking }) => isBraking)).toEqual(times(6, {}).map(() => true));
    expect(new Set(decisions.flatMap(({ steps }) => steps.map(({ rung }) => rung)))).toEqual(new Set(['restart']));
    expect(memory.connections[aConnectionId(1)]?.attempts).toBe(2);
  });

  it('counts those for whom a digest had no room when all who are named are bad', () => {
    const fleet = aFleet([aLease(1)], shardsOf(1));
    const digests = new Map(
      [...digestsOf(fleet, 2, frozenOnes(5, 0))].map(([workerId, digest]) => [
        workerId,
        { ...digest, shards: digest.shards.map((one) => ({ ...one, suspected: 30, online: 20 })) },
      ]),
    );

    expect(decide(noWatchdogMemory, fleet, digests, START_MS, rules).isBraking).toBe(true);
  });

  it('does not hold for few: nine connections of nine are still looked after', () => {
    const fleet = manyWorkers(1);

    const { decisions } = live(times(3, { fleet, suspects: frozenOnes(9, 0) }));

    expect(decisions[2]?.isBraking).toBe(false);
    expect(decisions[2]?.steps.map(({ rung }) => rung)).toEqual(times(9, {}).map(() => 'hand_off'));
  });
});

/** Any minutes in the life of six workers with a shard each. */
const anyMinutes: fc.Arbitrary<readonly Minute[]> = fc.array(
  fc
    .record({
      bad: fc.uniqueArray(fc.integer({ min: 0, max: 17 }), { maxLength: 18 }),
      silent: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
      mute: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
      afterMs: fc.constantFrom(1_000, 59_000, 60_000, 61_000, 120_000, 600_000),
    })
    .map(({ bad, silent, mute, afterMs }) => ({
      suspects: bad.map((number) => aFrozenConnection(number, number % 6)),
      silent,
      mute,
      afterMs,
      fleet: aFleet(
        [1, 2, 3, 4, 5, 6].map((number) => aLease(number)),
        shardsOf(1, 2, 3, 4, 5, 6),
      ),
    })),
  { maxLength: 40 },
);
const disturbing = new Set(['drain', 'stop_task']);

describe('always', () => {
  it('at most one worker is drained or stopped in a run, and while the brake holds nobody gets more than a restart', () => {
    fc.assert(
      fc.property(anyMinutes, (minutes) => {
        for (const { steps, isBraking } of live(minutes).decisions) {
          expect(steps.filter(({ rung }) => disturbing.has(rung)).length).toBeLessThanOrEqual(1);
          const tooFar = steps.filter(({ rung }) => isBraking && rung !== 'restart');
          expect(tooFar).toEqual([]);
        }
      }),
    );
  });

  it('each climbs by one rung at a time, and never two in a run', () => {
    fc.assert(
      fc.property(anyMinutes, (minutes) => {
        const attempts = new Map<string, number>();
        for (const { steps } of live(minutes).decisions) {
          const who = steps.map(
            ({ reason, lease, connection }) => connection?.connectionId ?? `${reason} ${lease.workerId}`,
          );
          expect(new Set(who).size).toBe(who.length);
          steps.forEach(({ attempt }, index) => {
            const before = attempts.get(who[index] ?? '') ?? 0;
            expect([1, before + 1]).toContain(attempt);
            attempts.set(who[index] ?? '', attempt);
          });
        }
      }),
    );
  });

  it('a fleet that is well is left alone', () => {
    fc.assert(
      fc.property(anyMinutes, (minutes) => {
        const well = minutes.map(({ afterMs = MINUTE_MS, fleet = threeWorkers }) => ({ afterMs, fleet }));

        expect(live(well).rungs.flat()).toEqual([]);
      }),
    );
  });

  it('the last steps are remembered, and of those who are well nothing is', () => {
    fc.assert(
      fc.property(anyMinutes, (minutes) => {
        const fleet = minutes[0]?.fleet ?? threeWorkers;
        const { memory } = live([...minutes, ...times(8, { fleet })]);

        expect(memory.steps.length).toBeLessThanOrEqual(STEPS_KEPT);
        expect([memory.connections, memory.muteWorkers, memory.silentWorkers]).toEqual([{}, {}, {}]);
      }),
    );
  });
});
