import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaseView } from '../../../shared/fleet/fleetView.ts';
import {
  brake,
  brakeHolds,
  countSilent,
  findSilent,
  observe,
  type Brake,
  type Observations,
} from '../../../worker/fleet/deathObserver.ts';
import { aLease, aWorkerId } from './views.ts';

const DEATH_MS = 25_000;
const HEARTBEAT_MS = 5_000;

/** Reads of one lease: the number that each showed, and when. */
function after(reads: readonly (readonly [atMs: number, ...leases: readonly LeaseView[]])[]): Observations {
  let seen: Observations | undefined;
  for (const [atMs, ...leases] of reads) seen = observe(seen, leases, atMs, DEATH_MS);
  return seen ?? { readAtMs: 0, workers: new Map() };
}
const everyHeartbeat = (fromMs: number, toMs: number, lease: LeaseView): readonly (readonly [number, LeaseView])[] =>
  Array.from({ length: Math.floor((toMs - fromMs) / HEARTBEAT_MS) + 1 }, (_, turn) => [
    fromMs + turn * HEARTBEAT_MS,
    lease,
  ]);

const BRAKE_MS = 60_000;

describe('death observer', () => {
  it('finds a worker dead that showed one heartbeat number for the whole time, and names the number', () => {
    const seen = after(everyHeartbeat(0, DEATH_MS, aLease(1, { heartbeat: 7 })));

    expect(findSilent(seen, DEATH_MS)).toEqual([{ workerId: aWorkerId(1), heartbeat: 7 }]);
  });

  it('finds nobody dead before that', () => {
    const seen = after(everyHeartbeat(0, DEATH_MS - 1, aLease(1)));

    expect(findSilent(seen, DEATH_MS)).toEqual([]);
  });

  it('begins anew with each new number', () => {
    const seen = after([
      ...everyHeartbeat(0, 20_000, aLease(1, { heartbeat: 1 })),
      ...everyHeartbeat(25_000, 45_000, aLease(1, { heartbeat: 2 })),
    ]);

    expect(findSilent(seen, DEATH_MS)).toEqual([]);
  });

  it('watches a draining worker, and forgets one whose lease is dead or gone', () => {
    const dead = aLease(1, { state: 'DEAD' });
    const draining = aLease(2, { state: 'DRAINING' });

    const seen = observe(after([[0, aLease(1), draining, aLease(3)]]), [dead, draining], 5_000, DEATH_MS);

    expect([...seen.workers.keys()]).toEqual([aWorkerId(2)]);
  });

  it('finds nobody dead after a time in which it could not read: it did not observe then', () => {
    const lease = aLease(1);

    const seen = after([
      ...everyHeartbeat(0, 20_000, lease),
      [60_000, lease],
      ...everyHeartbeat(65_000, 80_000, lease),
    ]);

    expect(findSilent(seen, DEATH_MS)).toEqual([]);
  });

  it('never finds a worker dead whose number changed within the last D, whatever the pace of reads', () => {
    const read = fc.record({ gapMs: fc.integer({ min: 1, max: 20_000 }), beats: fc.boolean() });
    fc.assert(
      fc.property(fc.array(read, { minLength: 1, maxLength: 40 }), (reads) => {
        let nowMs = 0;
        let heartbeat = 1;
        let changedMs = 0;
        let seen = observe(undefined, [aLease(1, { heartbeat })], nowMs, DEATH_MS);
        for (const { gapMs, beats } of reads) {
          nowMs += gapMs;
          if (beats) {
            heartbeat += 1;
            changedMs = nowMs;
          }
          seen = observe(seen, [aLease(1, { heartbeat })], nowMs, DEATH_MS);
          const isWrong = nowMs - changedMs < DEATH_MS && findSilent(seen, DEATH_MS).length > 0;
          expect(isWrong).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('always finds a silent worker dead within D and one read, when it reads every heartbeat', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 4_500, max: 5_500 }), { minLength: 8, maxLength: 8 }), (gaps) => {
        let nowMs = 0;
        let seen = observe(undefined, [aLease(1)], nowMs, DEATH_MS);
        let foundMs: number | undefined;
        for (const gapMs of gaps) {
          nowMs += gapMs;
          seen = observe(seen, [aLease(1)], nowMs, DEATH_MS);
          if (findSilent(seen, DEATH_MS).length > 0) foundMs ??= nowMs;
        }

        expect(foundMs).toBeLessThan(DEATH_MS + 5_500);
      }),
    );
  });
});

describe('brake', () => {
  it('counts all who stopped together as soon as the first of them looks dead', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 4_500, max: 5_500 }), { minLength: 12, maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 5_500 }), { minLength: 3, maxLength: 3 }),
        (gaps, lastHeartbeats) => {
          let nowMs = 0;
          let seen: Observations | undefined;
          let counted: number | undefined;
          for (const gapMs of gaps) {
            nowMs += gapMs;
            const leases = lastHeartbeats.map((atMs, index) =>
              aLease(index, { heartbeat: nowMs >= 5_500 + atMs ? 2 : 1 }),
            );
            seen = observe(seen, leases, nowMs, DEATH_MS);
            const found = findSilent(seen, DEATH_MS).length;
            if (found > 0) counted ??= countSilent(seen, { deathMs: DEATH_MS, heartbeatMs: HEARTBEAT_MS }).dead;
          }

          expect(counted).toBe(3);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    { dead: 2, living: 2, held: false },
    { dead: 2, living: 3, held: false },
    { dead: 3, living: 4, held: true },
    { dead: 3, living: 14, held: true },
    { dead: 3, living: 15, held: false },
    { dead: 20, living: 100, held: false },
    { dead: 21, living: 100, held: true },
  ])('with $dead of $living that look dead at once: held $held', ({ dead, living, held }) => {
    expect(brakeHolds(brake('released', { dead, living }, 0, BRAKE_MS), 0, BRAKE_MS)).toBe(held);
  });

  it('holds for its time and then lets the sentences pass, so that a real mass death ends', () => {
    const fleet = { dead: 5, living: 10 };

    const first = brake('released', fleet, 0, BRAKE_MS);
    const later = brake(first, fleet, BRAKE_MS - 1, BRAKE_MS);
    const last = brake(later, fleet, BRAKE_MS, BRAKE_MS);

    expect(brakeHolds(later, BRAKE_MS - 1, BRAKE_MS)).toBe(true);
    expect(brakeHolds(last, BRAKE_MS, BRAKE_MS)).toBe(false);
  });

  it('holds the next mass death for its whole time, too', () => {
    const fleet = { dead: 5, living: 10 };
    const first = brake('released', fleet, 0, BRAKE_MS);
    const between = brake(first, { dead: 0, living: 10 }, 70_000, BRAKE_MS);

    const second = brake(between, fleet, 80_000, BRAKE_MS);

    expect(between).toBe('released');
    expect(brakeHolds(second, 80_000 + BRAKE_MS - 1, BRAKE_MS)).toBe(true);
  });

  it('stays pulled for its time when fewer look dead, because some were proven dead meanwhile', () => {
    const first = brake('released', { dead: 3, living: 4 }, 0, BRAKE_MS);

    const fewer = brake(first, { dead: 2, living: 3 }, 1_000, BRAKE_MS);
    const after = brake(fewer, { dead: 2, living: 3 }, BRAKE_MS, BRAKE_MS);

    expect(brakeHolds(fewer, 1_000, BRAKE_MS)).toBe(true);
    expect(after).toBe('released');
  });

  it('always holds when a mass death begins, and never unless one was seen within its time', () => {
    const tick = fc.record({ gapMs: fc.integer({ min: 1, max: 10_000 }), dead: fc.integer({ min: 0, max: 10 }) });
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 60 }), (ticks) => {
        let state: Brake = 'released';
        let nowMs = 0;
        let massAtMs = -Infinity;
        for (const { gapMs, dead } of ticks) {
          const before = state;
          nowMs += gapMs;
          if (dead >= 3) massAtMs = nowMs;
          state = brake(state, { dead, living: 10 }, nowMs, BRAKE_MS);
          const holds = brakeHolds(state, nowMs, BRAKE_MS);

          expect(before === 'released' && dead >= 3 && !holds).toBe(false);
          expect(holds && nowMs - massAtMs >= BRAKE_MS).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
