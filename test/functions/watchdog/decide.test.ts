import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Decision } from '../../../functions/watchdog/decide.ts';
import { ladders, restMs, rungOf, type LadderName } from '../../../functions/watchdog/ladders.ts';
import { noWatchdogMemory, STEPS_KEPT, type WatchdogMemory } from '../../../functions/watchdog/watchdogMemory.ts';
import type { ConnectionVitals, Evidence } from '../../../shared/connection/liveness.ts';
import type { FleetView, LeaseView } from '../../../shared/fleet/fleetView.ts';
import { aFleet, aLease, aWorkerId, shardsOf } from '../../worker/fleet/views.ts';
import { aConnection, aConnectionId, aFrozenConnection, digestsOf, rules } from './builders.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_000_000_000;

/** What is so at one run; what is left out is as it should be. */
interface Minute {
  readonly suspects?: readonly ConnectionVitals[];
  /** Workers that show the same heartbeat again. */
  readonly silent?: readonly number[];
  /** Workers that write no digest. */
  readonly mute?: readonly number[];
  readonly fleet?: FleetView;
  /** Since the run before. */
  readonly afterMs?: number;
}

/** Three workers with a shard each. */
const threeWorkers = aFleet([aLease(1), aLease(2), aLease(3)], shardsOf(1, 2, 3));

/** Runs the watchdog minute by minute. Each worker writes two digests and twelve heartbeats in between. */
function live(minutes: readonly Minute[], start: WatchdogMemory = noWatchdogMemory) {
  const decisions: Decision[] = [];
  const heartbeats = new Map<string, number>();
  const numbers = new Map<string, number>();
  let memory = start;
  let nowMs = START_MS;
  for (const { suspects = [], silent = [], mute = [], fleet = threeWorkers, afterMs = MINUTE_MS } of minutes) {
    nowMs += afterMs;
    const isAmong = (some: readonly number[], { workerId }: LeaseView): boolean =>
      some.some((number) => aWorkerId(number) === workerId);
    for (const lease of fleet.leases) {
      const { workerId } = lease;
      if (!isAmong(silent, lease)) heartbeats.set(workerId, (heartbeats.get(workerId) ?? 0) + 12);
      if (!isAmong([...silent, ...mute], lease)) numbers.set(workerId, (numbers.get(workerId) ?? 0) + 2);
    }
    const leases = fleet.leases.map((lease) => ({ ...lease, heartbeat: heartbeats.get(lease.workerId) ?? 0 }));
    const digests = new Map(
      [...digestsOf(fleet, 0, suspects)].flatMap(([workerId, digest]) => {
        const number = numbers.get(workerId);
        return number === undefined ? [] : [[workerId, { ...digest, number }] as const];
      }),
    );
    const decision = decide(memory, { ...fleet, leases }, digests, nowMs, rules);
    decisions.push(decision);
    memory = decision.memory;
  }
  return { decisions, memory, rungs: decisions.map(({ steps }) => steps.map(({ rung }) => rung)) };
}

const times = (count: number, minute: Minute): readonly Minute[] => Array.from({ length: count }, () => minute);
const frozen: Minute = { suspects: [aFrozenConnection(1, 0)] };

describe('the ladders', () => {
  it.each<[LadderName, readonly string[]]>([
    ['connection', ['restart', 'restart', 'hand_off', 'hand_off', 'hand_off', 'stop_task', 'stop_task']],
    ['mute', ['drain', 'stop_task', 'stop_task']],
    ['silent', ['confirm_death', 'confirm_death']],
  ])('of %s have the rungs of the requirements, in this order', (ladder, expected) => {
    expect(expected.map((_, index) => rungOf(ladder, index + 1))).toEqual(expected);
  });

  it('never go down, and never end', () => {
    const severity = ['restart', 'hand_off', 'drain', 'confirm_death', 'stop_task'];
    for (const ladder of Object.keys(ladders) as LadderName[]) {
      const climbed = Array.from({ length: 50 }, (_, index) => severity.indexOf(rungOf(ladder, index + 1)));

      expect(climbed).toEqual([...climbed].sort((left, right) => left - right));
    }
  });

  it('wait twice as long with each further stop for the same connection, and at most a day', () => {
    const rests = [6, 7, 8, 20].map((attempt) => restMs('connection', attempt, rules) / MINUTE_MS);

    expect(rests).toEqual([10, 20, 40, 1_440]);
  });
});

describe('a connection that stays bad', () => {
  it('climbs rung by rung: restart twice, hand-off three times, then its task is stopped', () => {
    const { rungs } = live(times(14, frozen));

    const none: string[] = [];
    expect(rungs).toEqual([
      ['restart'],
      ['restart'],
      ['hand_off'],
      none,
      ['hand_off'],
      none,
      ['hand_off'],
      none,
      ['stop_task'],
      ...times(5, {}).map(() => none),
    ]);
  });

  it('has its steps told with attempt, symptom, owner and place', () => {
    const { decisions, memory } = live(times(3, frozen));

    const [first, , third] = decisions.map(({ steps }) => steps[0]);
    expect(first).toMatchObject({ rung: 'restart', attempt: 1, reason: 'silent_server' });
    expect(third).toMatchObject({
      rung: 'hand_off',
      attempt: 3,
      lease: { workerId: aWorkerId(1), taskId: 'task-1' },
      connection: { connectionId: aConnectionId(1), shard: 0 },
    });
    expect(memory.steps.map(({ rung, attempt, outcome }) => [rung, attempt, outcome])).toEqual([
      ['restart', 1, 'unknown'],
      ['restart', 2, 'unknown'],
      ['hand_off', 3, 'unknown'],
    ]);
  });

  it.each<[string, Partial<Evidence>, number | undefined]>([
    ['runner_stuck', {}, 90_001],
    ['never_success', { phase: 'opening', phaseMs: 150_001 }, undefined],
    ['silent_server', { lastFrameMs: 90_001 }, undefined],
    ['deaf', { oldestUnhandledMs: 90_001 }, undefined],
    ['sends_stuck', { oldestUnacknowledgedMs: 90_001 }, undefined],
    ['sends_stuck', { oldestLockMs: 90_001 }, undefined],
  ])('is known by %s', (reason, evidence, runnerBusyMs) => {
    const { decisions } = live([{ suspects: [aConnection(1, 0, evidence, runnerBusyMs)] }]);

    expect(decisions[0]?.steps).toMatchObject([{ rung: 'restart', reason }]);
  });

  it.each<[string, Partial<Evidence>, number | undefined]>([
    ['exactly at the limit', { lastFrameMs: 90_000, oldestUnhandledMs: 90_000 }, 90_000],
    ['that opens for less than 150 s', { phase: 'opening', phaseMs: 149_999, lastFrameMs: 149_999 }, undefined],
    ['that is only quiet', { lastHandledMs: 86_400_000, lastAckMs: 86_400_000 }, undefined],
  ])('is not one %s', (_, evidence, runnerBusyMs) => {
    const { rungs } = live(times(4, { suspects: [aConnection(1, 0, evidence, runnerBusyMs)] }));

    expect(rungs.flat()).toEqual([]);
  });

  it('gets no second step on what its worker said before the first had its time', () => {
    const suspects = [aFrozenConnection(1, 0)];
    const beating = (heartbeat: number): FleetView =>
      aFleet(
        threeWorkers.leases.map((lease) => ({ ...lease, heartbeat })),
        threeWorkers.shards,
      );
    const decideAt = (memory: WatchdogMemory, number: number, afterMs: number): Decision =>
      decide(memory, beating(number), digestsOf(threeWorkers, number, suspects), START_MS + afterMs, rules);
    const { memory } = decideAt(noWatchdogMemory, 7, 0);

    // The next digest may have been made while the restart was on its way.
    const next = decideAt(memory, 8, MINUTE_MS);
    const soon = decideAt(memory, 9, MINUTE_MS - 1);
    const due = decideAt(memory, 9, MINUTE_MS);

    expect([next, soon, due].map(({ steps }) => steps.length)).toEqual([0, 0, 1]);
  });

  it('is judged by its present owner alone', () => {
    const digests = digestsOf(threeWorkers, 3, [aFrozenConnection(1, 0)]);
    const moved = aFleet(
      threeWorkers.leases,
      threeWorkers.shards.map((row) => (row.shard === 0 ? { ...row, owner: aWorkerId(2), epoch: 2 } : row)),
    );

    expect(decide(noWatchdogMemory, moved, digests, START_MS, rules).steps).toEqual([]);
  });

  it('is left to the drain when its worker drains', () => {
    const fleet = aFleet([aLease(1, { state: 'DRAINING' }), aLease(2)], shardsOf(1, 2));

    expect(live(times(3, { ...frozen, fleet })).rungs.flat()).toEqual([]);
  });

  it('begins anew after it has been well for as long as the fault would need to show itself again', () => {
    const well: Minute = {};
    const healed = live([frozen, frozen, ...times(5, well), frozen]);
    const relapsed = live([frozen, frozen, ...times(4, well), frozen]);

    expect(healed.rungs.at(-1)).toEqual(['restart']);
    expect(healed.memory.connections[aConnectionId(1)]?.attempts).toBe(1);
    expect(relapsed.rungs.at(-1)).toEqual(['hand_off']);
  });

  it('has not recovered while nothing is heard of its shard', () => {
    const mute: Minute = { mute: [1] };

    const { memory } = live([frozen, frozen, ...times(2, mute), ...times(4, { mute: [1], silent: [1] })]);

    expect(memory.connections[aConnectionId(1)]?.attempts).toBe(2);
  });

  it('has not recovered while its digest has no room to name it', () => {
    const fleet = aFleet([aLease(1)], shardsOf(1));
    const cut = new Map(
      [...digestsOf(fleet, 9)].map(([workerId, digest]) => [
        workerId,
        { ...digest, shards: digest.shards.map((one) => ({ ...one, suspected: 3 })) },
      ]),
    );
    const before = live([{ ...frozen, fleet }]).memory;

    const after = decide(before, fleet, cut, START_MS + 10 * MINUTE_MS, rules);

    expect(after.memory.connections[aConnectionId(1)]?.goodDigests).toBe(0);
  });
});

describe('the wish of a hand-off', () => {
  const untilHandOff = [frozen, frozen, frozen];

  it('names the shard under the epoch of its owner', () => {
    const { decisions } = live(untilHandOff);

    expect(decisions.map(({ wishChanges }) => wishChanges.length)).toEqual([0, 0, 1]);
    expect(decisions[2]?.wishChanges[0]).toMatchObject({
      lease: { workerId: aWorkerId(1) },
      wishes: [{ shard: 0, epoch: 1 }],
    });
  });

  it('stands until the shard has another owner, and then goes', () => {
    const wished = aFleet(
      [aLease(1, { handOffs: [{ shard: 0, epoch: 1 }] }), aLease(2), aLease(3)],
      threeWorkers.shards,
    );
    const moved = aFleet(
      wished.leases,
      wished.shards.map((row) => (row.shard === 0 ? { ...row, owner: aWorkerId(2), epoch: 2 } : row)),
    );

    const { decisions } = live([...untilHandOff, { ...frozen, fleet: wished }, { ...frozen, fleet: moved }]);

    expect(decisions[3]?.wishChanges).toEqual([]);
    expect(decisions[4]?.wishChanges).toMatchObject([
      { lease: { workerId: aWorkerId(1) }, wishes: [] },
      { lease: { workerId: aWorkerId(2) }, wishes: [{ shard: 0, epoch: 2 }] },
    ]);
  });

  it('goes when all connections of the shard have recovered', () => {
    const fleet = aFleet([aLease(1, { handOffs: [{ shard: 0, epoch: 1 }] }), aLease(2)], shardsOf(1, 2));

    const { decisions } = live([...untilHandOff.map((minute) => ({ ...minute, fleet })), ...times(5, { fleet })]);

    expect(decisions.at(-2)?.wishChanges).toEqual([]);
    expect(decisions.at(-1)?.wishChanges).toMatchObject([{ lease: { workerId: aWorkerId(1) }, wishes: [] }]);
  });
});

describe('a worker whose lease lives and whose digest does not change', () => {
  it('is asked to drain, and its task is stopped when that did not help', () => {
    const { rungs } = live([{}, ...times(6, { mute: [2] })]);

    // 90 s are over at the second minute; the drain has three.
    expect(rungs).toEqual([[], [], ['drain'], [], [], ['stop_task'], []]);
  });

  it('is left alone when it never wrote one: it is of a version that does not', () => {
    expect(live(times(10, { mute: [2] })).rungs.flat()).toEqual([]);
  });

  it('is left alone when the watchdog itself was away meanwhile', () => {
    const { rungs } = live([{}, { mute: [2], afterMs: 10 * MINUTE_MS }, { mute: [2] }]);

    expect(rungs.flat()).toEqual([]);
  });

  it('begins anew once its digests come again', () => {
    const { rungs, memory } = live([{}, ...times(2, { mute: [2] }), {}, {}, ...times(2, { mute: [2] })]);

    expect(rungs.flat()).toEqual(['drain', 'drain']);
    expect(memory.muteWorkers[aWorkerId(2)]?.attempts).toBe(1);
  });

  it('is one at a time: no two are drained or stopped in one run', () => {
    const { rungs } = live([{}, ...times(3, { mute: [1, 2] })]);

    expect(rungs).toEqual([[], [], ['drain'], ['drain']]);
  });
});

describe('a worker without heartbeats', () => {
  it('has its death confirmed at the second run that finds the same heartbeat', () => {
    const { decisions, rungs } = live([{}, { silent: [3] }]);

    expect(rungs).toEqual([[], ['confirm_death']]);
    expect(decisions[1]?.steps).toMatchObject([{ lease: { workerId: aWorkerId(3) }, reason: 'silent' }]);
  });

  it('is not found by a run that follows at once, nor after a gap', () => {
    const atOnce = live([{}, { silent: [1, 2, 3], afterMs: 1_000 }]);
    const afterGap = live([{}, { silent: [3], afterMs: 4 * MINUTE_MS }]);

    expect([...atOnce.rungs, ...afterGap.rungs].flat()).toEqual([]);
  });

  it('is asked about again a minute later, as long as its lease lives', () => {
    const { rungs } = live([{}, ...times(3, { silent: [3] })]);

    expect(rungs).toEqual([[], ['confirm_death'], ['confirm_death'], ['confirm_death']]);
  });
});

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

/** Any twelve minutes in the life of six workers with a shard each. */
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
          if (isBraking) expect(steps.every(({ rung }) => rung === 'restart')).toBe(true);
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
