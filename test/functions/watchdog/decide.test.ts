import { describe, expect, it } from 'vitest';
import { decide, type Decision } from '../../../functions/watchdog/decide.ts';
import { ladders, restMs, rungOf, type LadderName } from '../../../functions/watchdog/ladders.ts';
import { noWatchdogMemory, type WatchdogMemory } from '../../../functions/watchdog/watchdogMemory.ts';
import type { Evidence } from '../../../shared/connection/liveness.ts';
import type { FleetView } from '../../../shared/fleet/fleetView.ts';
import { aFleet, aLease, aWorkerId, shardsOf } from '../../worker/fleet/views.ts';
import { aConnection, aConnectionId, aFrozenConnection, digestsOf, rules } from './builders.ts';
import { frozen, live, MINUTE_MS, START_MS, threeWorkers, times, type Minute } from './minutes.ts';

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

describe('a requested hand-off', () => {
  const untilHandOff = [frozen, frozen, frozen];

  it('names the shard under the epoch of its owner', () => {
    const { decisions } = live(untilHandOff);

    expect(decisions.map(({ requestChanges }) => requestChanges.length)).toEqual([0, 0, 1]);
    expect(decisions[2]?.requestChanges[0]).toMatchObject({
      lease: { workerId: aWorkerId(1) },
      requests: [{ shard: 0, epoch: 1 }],
    });
  });

  it('stands until the shard has another owner, and then goes', () => {
    const requested = aFleet(
      [aLease(1, { handOffs: [{ shard: 0, epoch: 1 }] }), aLease(2), aLease(3)],
      threeWorkers.shards,
    );
    const moved = aFleet(
      requested.leases,
      requested.shards.map((row) => (row.shard === 0 ? { ...row, owner: aWorkerId(2), epoch: 2 } : row)),
    );

    const { decisions } = live([...untilHandOff, { ...frozen, fleet: requested }, { ...frozen, fleet: moved }]);

    expect(decisions[3]?.requestChanges).toEqual([]);
    expect(decisions[4]?.requestChanges).toMatchObject([
      { lease: { workerId: aWorkerId(1) }, requests: [] },
      { lease: { workerId: aWorkerId(2) }, requests: [{ shard: 0, epoch: 2 }] },
    ]);
  });

  it('goes when all connections of the shard have recovered', () => {
    const fleet = aFleet([aLease(1, { handOffs: [{ shard: 0, epoch: 1 }] }), aLease(2)], shardsOf(1, 2));

    const { decisions } = live([...untilHandOff.map((minute) => ({ ...minute, fleet })), ...times(5, { fleet })]);

    expect(decisions.at(-2)?.requestChanges).toEqual([]);
    expect(decisions.at(-1)?.requestChanges).toMatchObject([{ lease: { workerId: aWorkerId(1) }, requests: [] }]);
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
