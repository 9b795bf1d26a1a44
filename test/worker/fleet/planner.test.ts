import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noLoad, noOrders, orphansOf, ownedBy, type FleetView } from '../../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../../shared/kernel/id.ts';
import { shareOpens } from '../../../worker/fleet/openPlan.ts';
import { plan } from '../../../worker/fleet/planner.ts';
import { noMemory, type Plan, type PlanMemory, type PlanRules } from '../../../worker/fleet/planTypes.ts';
import { aFleet, aLease, anyFleet, aWorkerId, shardsOf } from './views.ts';

const rules: PlanRules = {
  giveDeadlineMs: 30_000,
  rebalanceEveryMs: 60_000,
  rebalancePercent: 10,
  canaryPercent: 100,
  canaryHoldMs: 600_000,
  opensPerSecond: 25,
  fleetOpensPerSecond: 500,
};
const nobody: ReadonlySet<WorkerId> = new Set();
const none = undefined;
const planFirst = (view: FleetView, silent = nobody): Plan => plan(view, silent, noMemory, 0, rules);
const claimsOf = ({ orders }: Plan): Record<string, readonly number[]> =>
  Object.fromEntries([...orders].map(([workerId, { claim }]) => [workerId, claim]));

/** The newest generation among those who may take shards. */
const targetsOf = ({ leases }: FleetView): readonly WorkerId[] => {
  const able = leases.filter(({ state, drainRequested }) => state === 'ALIVE' && !drainRequested);
  const newest = Math.max(...able.map(({ deployGeneration }) => deployGeneration));
  return able.filter(({ deployGeneration }) => deployGeneration === newest).map(({ workerId }) => workerId);
};

/** What a fleet looks like once everybody has done what the plan says: claims claimed, watched rows watched, offers given. */
function obey(view: FleetView, { orders, offers }: Plan): FleetView {
  const claims = new Map([...orders].flatMap(([workerId, { claim }]) => claim.map((shard) => [shard, workerId])));
  const given = new Map(offers.map(({ shard, to }) => [shard.shard, to]));
  return {
    ...view,
    leases: view.leases.map((lease) => {
      const own = orders.get(lease.workerId) ?? lease.orders;
      return { ...lease, orders: own, expecting: own.expect };
    }),
    shards: view.shards.map((row) => {
      const owner = claims.get(row.shard) ?? given.get(row.shard);
      return owner === undefined ? row : { ...row, owner, epoch: row.epoch + 1, next: none };
    }),
  };
}

/** Plans and obeys until nothing changes. Returns the moves that were offered, in order. */
function settle(start: FleetView, own: Partial<PlanRules> = {}) {
  const [every, offers] = [rules.rebalanceEveryMs, [] as Plan['offers'][number][]];
  let [view, memory]: [FleetView, PlanMemory] = [start, noMemory];
  let still = 0;
  let nowMs = 0;
  let rounds = 0;
  for (; still < 4 && rounds < 500; rounds += 1) {
    const next = plan(view, nobody, memory, nowMs, { ...rules, ...own });
    const after = obey(view, next);
    still = JSON.stringify(after.shards) === JSON.stringify(view.shards) ? still + 1 : 0;
    offers.push(...next.offers);
    [view, memory] = [after, next.memory];
    nowMs += every;
  }
  return { view, offers, rounds };
}

describe('orphans', () => {
  it('are shards that were never claimed, were released, or whose owner is dead or missing', () => {
    const leases = [aLease(1), aLease(2, { state: 'DEAD' }), aLease(3, { state: 'DRAINING' })];

    const orphans = orphansOf(aFleet(leases, shardsOf(1, 2, 3, none, 9)));

    expect(orphans.map(({ shard }) => shard)).toEqual([1, 3, 4]);
  });
});

describe('claims of a plan', () => {
  it('split a fresh fleet evenly, and the lower id wins a tie', () => {
    const view = aFleet([aLease(2), aLease(1)], shardsOf(none, none, none, none, none));

    expect(claimsOf(planFirst(view))).toEqual({ [aWorkerId(1)]: [0, 2, 4], [aWorkerId(2)]: [1, 3] });
  });

  it('go to who owns least', () => {
    const view = aFleet([aLease(1), aLease(2)], shardsOf(1, 1, 2, none, none));

    expect(claimsOf(planFirst(view))).toEqual({ [aWorkerId(1)]: [4], [aWorkerId(2)]: [3] });
  });

  it('repeat themselves until a shard is claimed', () => {
    const view = aFleet([aLease(1), aLease(2)], shardsOf(none, none, 1));
    const first = planFirst(view);
    const told = view.leases.map((lease) => ({ ...lease, orders: first.orders.get(lease.workerId) ?? noOrders }));

    const second = planFirst(aFleet([...told, aLease(3)], view.shards));

    expect(claimsOf(second)).toEqual({ ...claimsOf(first), [aWorkerId(3)]: [] });
  });

  it('go to the newest generation alone', () => {
    const view = aFleet([aLease(1, { deployGeneration: 4 }), aLease(2, { deployGeneration: 5 })], shardsOf(none, none));

    expect(claimsOf(planFirst(view))).toEqual({ [aWorkerId(1)]: [], [aWorkerId(2)]: [0, 1] });
  });

  it('leave a silent worker out, and leave it what it owns', () => {
    const leases = [aLease(1), aLease(2, { orders: { ...noOrders, claim: [3] } })];

    const next = planFirst(aFleet(leases, shardsOf(1, 1, 2, none)), new Set([aWorkerId(2)]));

    expect(claimsOf(next)).toEqual({ [aWorkerId(1)]: [3], [aWorkerId(2)]: [] });
    expect(next.memory.moves).toEqual([]);
  });

  it('never name who drains, is dead, or is of an older generation, and name only orphans', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const targets = new Set(targetsOf(view));
        const orphans = new Set(orphansOf(view).map(({ shard }) => shard));
        const next = planFirst(view);
        const told = [...next.orders].filter(([, { claim, expect: coming }]) => claim.length + coming.length > 0);

        expect(told.filter(([workerId]) => !targets.has(workerId))).toEqual([]);
        expect(told.flatMap(([, { claim }]) => claim).filter((shard) => !orphans.has(shard))).toEqual([]);
        expect(next.memory.moves.filter(({ to }) => !targets.has(to))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('name each orphan exactly once whenever somebody can take it', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const orphans = orphansOf(view).map(({ shard }) => shard);
        const claimed = [...planFirst(view).orders.values()].flatMap(({ claim }) => claim);

        expect([...claimed].sort((a, b) => a - b)).toEqual(targetsOf(view).length > 0 ? orphans : []);
      }),
      { numRuns: 500 },
    );
  });

  it('are the same in whatever order the table was read', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const fresh = view.leases.map((lease) => ({ ...lease, orders: noOrders }));
        const reversed = aFleet([...fresh].reverse(), view.shards);

        expect(claimsOf(planFirst(reversed))).toEqual(claimsOf(planFirst(aFleet(fresh, view.shards))));
      }),
    );
  });
});

describe('moves of a plan', () => {
  const draining = aLease(1, { state: 'DRAINING', load: { ...noLoad, connections: 100 } });

  it('are announced, offered once the target watches, and then ordered from the owner', () => {
    const view = aFleet([draining, aLease(2)], shardsOf(1));

    const announced = planFirst(view);
    const deaf = plan(view, nobody, announced.memory, 2_000, rules);
    const watching = aFleet([draining, aLease(2, { expecting: [0] })], view.shards);
    const offered = plan(watching, nobody, deaf.memory, 4_000, rules);

    expect(announced.orders.get(aWorkerId(2))?.expect).toEqual([0]);
    expect([announced.offers, deaf.offers]).toEqual([[], []]);
    expect(offered.offers).toEqual([{ shard: view.shards[0], to: aWorkerId(2), reason: 'drain' }]);
    expect(offered.orders.get(aWorkerId(1))?.give).toEqual([0]);
  });

  it('go to a target only as fast as it can open what comes', () => {
    // Two shards of 50 each: the budget of 25 a second has room for one at once, and for the next 2 s after that.
    const view = aFleet([draining, aLease(2, { expecting: [0, 1] })], shardsOf(1, 1));
    const first = planFirst(view);

    const both = plan(obey(view, first), nobody, first.memory, 500, rules);
    const later = plan(obey(view, first), nobody, both.memory, 2_600, rules);

    expect(first.offers.map(({ shard }) => shard.shard)).toEqual([0]);
    expect(both.offers).toEqual([]);
    expect(later.offers.map(({ shard }) => shard.shard)).toEqual([1]);
  });

  it('are withdrawn past the deadline, rest, and are tried again', () => {
    const view = aFleet([draining, aLease(2, { expecting: [0] })], shardsOf(1));
    const offered = planFirst(view);
    const named = { ...view, shards: view.shards.map((row) => ({ ...row, next: aWorkerId(2) })) };

    const patient = plan(named, nobody, offered.memory, 29_999, rules);
    const late = plan(named, nobody, patient.memory, 30_000, rules);
    const resting = plan(view, nobody, late.memory, 59_999, rules);
    const again = plan(view, nobody, resting.memory, 60_000, rules);

    expect([patient.withdrawals, late.withdrawals]).toEqual([[], named.shards]);
    expect([resting.offers, again.offers.length]).toEqual([[], 1]);
  });

  it('are withdrawn at once when the target cannot take them any more', () => {
    const view = aFleet([draining, aLease(2, { expecting: [0] }), aLease(3)], shardsOf(1));
    const offered = planFirst(view);
    const gone = aFleet(
      [draining, aLease(2, { state: 'DEAD' }), aLease(3)],
      view.shards.map((row) => ({ ...row, next: aWorkerId(2) })),
    );

    expect(plan(gone, nobody, offered.memory, 1_000, rules).withdrawals).toEqual(gone.shards);
  });

  it('that an earlier leader offered are adopted, with a deadline of their own', () => {
    const row = { shard: 0, owner: aWorkerId(1), epoch: 1, next: aWorkerId(2) };
    const view = aFleet([aLease(1), aLease(2)], [row]);

    const adopted = plan(view, nobody, noMemory, 70_000, rules);
    const late = plan(view, nobody, adopted.memory, 100_000, rules);

    expect(adopted.orders.get(aWorkerId(1))?.give).toEqual([0]);
    expect(adopted.withdrawals).toEqual([]);
    expect(late.withdrawals).toEqual([row]);
  });

  it('leave nothing at who drains, and nothing of an older generation once the newer one has room', () => {
    const old = [1, 2, 3].map((number) => aLease(number, { deployGeneration: 1 }));
    const young = [4, 5, 6].map((number) => aLease(number, { deployGeneration: 2 }));
    const [first, second] = [aFleet([...old, ...young], shardsOf(1, 1, 2, 2, 3, 3)), old.map(toDraining)];

    const rolling = settle(first);
    const done = settle(aFleet([...second, ...young], rolling.view.shards));

    expect(rolling.view.shards.filter(({ owner }) => young.some(({ workerId }) => workerId === owner))).toHaveLength(6);
    expect(young.map(({ workerId }) => ownedBy(done.view, workerId).length)).toEqual([2, 2, 2]);
  });

  it('move each shard once in a deploy that replaces the workers one by one', () => {
    const shards = shardsOf(1, 1, 1, 2, 2, 2, 3, 3, 3);
    let view = aFleet(
      [1, 2, 3].map((number) => aLease(number, { deployGeneration: 1 })),
      shards,
    );
    const moved: number[] = [];
    for (const number of [1, 2, 3]) {
      // A new one comes first, then an old one has to go.
      const leases = [...view.leases, aLease(number + 3, { deployGeneration: 2 })];
      const drained = leases.map((lease) => (lease.workerId === aWorkerId(number) ? toDraining(lease) : lease));
      for (const next of [leases, drained]) {
        const settled = settle(aFleet(next, view.shards), { rebalanceEveryMs: Infinity });
        moved.push(...settled.offers.map(({ shard }) => shard.shard));
        view = settled.view;
      }
      view = aFleet(
        view.leases.filter(({ workerId }) => workerId !== aWorkerId(number)),
        view.shards,
      );
    }

    expect([...moved].sort((a, b) => a - b)).toEqual(shards.map(({ shard }) => shard));
  });

  const generationOf = (first: number, count: number, deployGeneration: number) =>
    Array.from({ length: count }, (_, number) => aLease(first + number, { deployGeneration }));

  it('give the first new worker what it will have in the end, and more only when no other one comes for two rests', () => {
    const view = aFleet([...generationOf(1, 3, 1), aLease(9, { deployGeneration: 2 })], shardsOf(1, 1, 2, 2, 3, 3, 3));
    const alone = { ...noMemory, members: aWorkerId(9) };

    const first = plan(view, nobody, alone, 0, rules);
    const waiting = plan(view, nobody, first.memory, 119_999, rules);
    const complete = plan(view, nobody, waiting.memory, 120_000, rules);

    // Seven shards over three workers: one of them has three.
    expect([first, waiting, complete].map(({ memory }) => memory.moves.length)).toEqual([3, 3, 7]);
  });

  it('move each shard once in a deploy that starts all new workers beside the old ones, whenever each of them comes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 20 }), (workers, shards) => {
        let view = aFleet(
          generationOf(1, workers, 1),
          shardsOf(...Array.from({ length: shards }, (_, shard) => 1 + (shard % workers))),
        );
        const moved: number[] = [];
        for (const young of generationOf(101, workers, 2)) {
          const settled = settle(aFleet([...view.leases, young], view.shards), { rebalanceEveryMs: Infinity });
          moved.push(...settled.offers.map(({ shard }) => shard.shard));
          view = settled.view;
        }
        // What is uneven now would be evened out, and move a second time.
        const later = settle(aFleet(generationOf(101, workers, 2), view.shards));

        expect([...moved].sort((a, b) => a - b)).toEqual(view.shards.map(({ shard }) => shard));
        expect(later.offers).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('leave nothing at older generations, however few new workers there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), (older, newer) => {
        const rows = shardsOf(...Array.from({ length: 12 }, (_, shard) => 1 + (shard % older)));

        const { view, offers } = settle(aFleet([...generationOf(1, older, 1), ...generationOf(101, newer, 2)], rows));

        expect(generationOf(1, older, 1).flatMap(({ workerId }) => ownedBy(view, workerId))).toEqual([]);
        expect(offers).toHaveLength(12);
      }),
      { numRuns: 50 },
    );
  });

  it('keep all old workers until the last shard has left the last of them', () => {
    const leases = [...generationOf(1, 2, 1), aLease(9, { deployGeneration: 2 })];
    const keptOf = (view: FleetView): readonly WorkerId[] =>
      [...planFirst(view).orders].flatMap(([workerId, { outgoing }]) => (outgoing ? [workerId] : []));

    expect(keptOf(aFleet(leases.slice(0, 2), shardsOf(1, 2)))).toEqual([]);
    expect(keptOf(aFleet(leases, shardsOf(1, 2)))).toEqual([aWorkerId(1), aWorkerId(2)]);
    expect(keptOf(aFleet(leases, shardsOf(9, 2)))).toEqual([aWorkerId(1), aWorkerId(2)]);
    expect(keptOf(aFleet(leases, shardsOf(9, 9)))).toEqual([]);
    // One that drains ends anyway, and what nobody owns holds nobody up.
    expect(keptOf(aFleet([...leases.slice(1), toDraining(aLease(1))], shardsOf(1, none)))).toEqual([]);
  });

  it('go to no more targets at once than can open at their full pace, to the next one when one has all it gets', () => {
    const few = { fleetOpensPerSecond: 50 };
    const start = aFleet([...generationOf(1, 4, 1), ...generationOf(101, 4, 2)], shardsOf(1, 1, 2, 2, 3, 3, 4, 4));
    let [view, memory]: [FleetView, PlanMemory] = [start, noMemory];
    const watching: (readonly WorkerId[])[] = [];
    for (let round = 0; round < 12; round += 1) {
      const next = plan(view, nobody, memory, round * 1_000, { ...rules, ...few });
      watching.push(
        [...next.orders].flatMap(([workerId, { expect: coming }]) => (coming.length > 0 ? [workerId] : [])),
      );
      [view, memory] = [obey(view, next), next.memory];
    }

    expect(Math.max(...watching.map((workers) => workers.length))).toBe(2);
    expect(watching[0]).toEqual([101, 102].map(aWorkerId));
    expect(new Set(watching.flat())).toEqual(new Set([101, 102, 103, 104].map(aWorkerId)));
    expect(view.shards.every(({ owner }) => generationOf(101, 4, 2).some(({ workerId }) => workerId === owner))).toBe(
      true,
    );
  });

  it('stay announced to a target that was told to watch, since an offer relies on it, whoever else comes', () => {
    const few = { ...rules, fleetOpensPerSecond: 25 };
    const early = aFleet([...generationOf(1, 2, 1), aLease(102, { deployGeneration: 2 })], shardsOf(1, 2));
    const first = plan(early, nobody, noMemory, 0, few);
    const told = early.leases.map((lease) => ({ ...lease, orders: first.orders.get(lease.workerId) ?? lease.orders }));

    const next = plan(
      aFleet([...told, aLease(101, { deployGeneration: 2 })], early.shards),
      nobody,
      first.memory,
      1,
      few,
    );

    const watched = [101, 102].map((number) => next.orders.get(aWorkerId(number))?.expect);
    expect(next.memory.moves.map(({ to }) => to)).toEqual([102, 101].map(aWorkerId));
    expect(watched).toEqual([[], first.orders.get(aWorkerId(102))?.expect]);
  });

  it('go first to targets for whom a worker waits that must end', () => {
    const leases = [toDraining(aLease(1)), ...generationOf(2, 1, 0), ...generationOf(101, 2, 2)];
    const view = aFleet(leases, shardsOf(1, 2, 2, 2));
    const first = plan(view, nobody, noMemory, 0, { ...rules, fleetOpensPerSecond: 25 });
    const watching = [...first.orders].filter(([, { expect: coming }]) => coming.length > 0);

    expect(watching.flatMap(([, { expect: coming }]) => coming)).toContain(0);
    expect(watching).toHaveLength(1);
  });

  it('show a canary share to a new generation first, and the rest when that was watched', () => {
    const leases = [aLease(1, { deployGeneration: 1 }), aLease(2, { deployGeneration: 2 })];
    const own = { canaryPercent: 10, canaryHoldMs: 600_000 };
    const view = aFleet(leases, shardsOf(...Array<number>(10).fill(1)));
    const first = plan(view, nobody, noMemory, 0, { ...rules, ...own });
    const one = obey(view, plan(obey(view, first), nobody, first.memory, 1_000, { ...rules, ...own }));
    const watched = plan(one, nobody, first.memory, 10_000, { ...rules, ...own });

    const held = plan(one, nobody, watched.memory, 609_999, { ...rules, ...own });
    const rest = plan(one, nobody, held.memory, 610_000, { ...rules, ...own });

    expect(first.memory.moves).toHaveLength(1);
    expect([watched.memory.moves, held.memory.moves]).toEqual([[], []]);
    expect(rest.memory.moves).toHaveLength(9);
  });

  it('even out slowly: a share at a time, after a rest, and only a difference of two or more', () => {
    const view = aFleet([aLease(1), aLease(2)], shardsOf(...Array<number>(20).fill(1)));
    const early = plan(view, nobody, { ...noMemory, members: members(1, 2) }, 59_999, rules);
    const due = plan(view, nobody, early.memory, 60_000, rules);

    const settled = settle(view);

    expect([early.memory.moves.length, due.memory.moves.length]).toEqual([0, 2]);
    expect([1, 2].map((number) => ownedBy(settled.view, aWorkerId(number)).length)).toEqual([10, 10]);
    expect(settle(aFleet([aLease(1), aLease(2)], shardsOf(1, 1, 2))).offers).toEqual([]);
  });

  it('rest after any change of the fleet', () => {
    const view = aFleet([aLease(1), aLease(2)], shardsOf(1, 1, 1, 1));

    const joined = plan(view, nobody, { ...noMemory, members: members(1), membersSinceMs: 0 }, 500_000, rules);
    const rested = plan(view, nobody, joined.memory, 560_000, rules);

    expect([joined.memory.moves.length, rested.memory.moves.length]).toEqual([0, 1]);
  });

  it('always come to an end: every shard with an able owner, evenly, and then nothing moves', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const targets = targetsOf(view);
        const living = view.leases.filter(({ state, drainRequested }) => state !== 'DEAD' && !drainRequested);
        const drained = view.leases.map((lease) => {
          const isOld = living.includes(lease) && !targets.includes(lease.workerId);
          return isOld || (lease.drainRequested && lease.state === 'ALIVE') ? toDraining(lease) : lease;
        });

        const { view: end, rounds } = settle(aFleet(drained, view.shards));
        const counts = targets.map((workerId) => ownedBy(end, workerId).length);

        expect(rounds).toBeLessThan(500);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(targets.length > 0 ? view.shards.length : 0);
        expect(isEven(end, targets)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('never evens out more than its share at once', () => {
    fc.assert(
      fc.property(anyFleet, fc.integer({ min: 1, max: 100 }), (view, rebalancePercent) => {
        const quiet = { ...noMemory, members: targetsOf(view).join() };
        const { moves } = plan(view, nobody, quiet, 1e9, { ...rules, rebalancePercent }).memory;
        const most = Math.max(1, Math.floor((view.shards.length * rebalancePercent) / 100));

        expect(moves.filter(({ reason }) => reason === 'rebalance').length).toBeLessThanOrEqual(most);
      }),
      { numRuns: 300 },
    );
  });

  /** Whether no worker has two more than another, or those who have most hold nothing that those with least may get. */
  function isEven(end: FleetView, targets: readonly WorkerId[]): boolean {
    const load = targets.map((workerId) => ({ workerId, owned: ownedBy(end, workerId) }));
    const sizes = load.map(({ owned }) => owned.length);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    if (targets.length === 0 || most - least <= 1) return true;
    const refuses = (workerId: WorkerId, shard: number): boolean =>
      end.leases.some((lease) => lease.workerId === workerId && lease.handOffs.some((asked) => asked.shard === shard));
    return load
      .filter(({ owned }) => owned.length === least)
      .some(({ workerId }) =>
        load.some(({ owned }) => owned.length === most && owned.every(({ shard }) => refuses(workerId, shard))),
      );
  }

  function toDraining<Lease extends FleetView['leases'][number]>(lease: Lease): Lease {
    return { ...lease, state: 'DRAINING' };
  }
  const members = (...numbers: readonly number[]): string => numbers.map(aWorkerId).join();
});

describe('workers that are full', () => {
  const full = { load: { ...noLoad, full: true } };

  it('get no orphan while somebody has room, and drop claims that they were told', () => {
    const told = { ...noOrders, claim: [1] };
    const view = aFleet([aLease(1, { ...full, orders: told }), aLease(2)], shardsOf(2, none, none, none));

    expect(claimsOf(planFirst(view))).toEqual({ [aWorkerId(1)]: [], [aWorkerId(2)]: [1, 2, 3] });
  });

  it('share orphans out when all are full: the one with fewest first', () => {
    const view = aFleet([aLease(1, full), aLease(2, full)], shardsOf(1, 1, none, none, none));

    expect(claimsOf(planFirst(view))).toEqual({ [aWorkerId(1)]: [4], [aWorkerId(2)]: [2, 3] });
  });

  it('are given what drains only when nobody has room', () => {
    const leases = [aLease(1, { state: 'DRAINING' }), aLease(2, full), aLease(3)];
    const shards = shardsOf(1, 1, 3, 3);

    const roomy = planFirst(aFleet(leases, shards));
    const crowded = planFirst(aFleet([leases[0] ?? aLease(1), aLease(2, full), aLease(3, full)], shards));

    expect(roomy.memory.moves.map(({ to }) => to)).toEqual([aWorkerId(3), aWorkerId(3)]);
    expect(crowded.memory.moves.map(({ to }) => to)).toEqual([aWorkerId(2), aWorkerId(2)]);
  });

  it('lose what was announced to them and not offered yet', () => {
    const draining = aLease(1, { state: 'DRAINING' });
    const announced = planFirst(aFleet([draining, aLease(2), aLease(3)], shardsOf(1, 3)));

    const next = plan(
      aFleet([draining, aLease(2, full), aLease(3)], shardsOf(1, 3)),
      nobody,
      announced.memory,
      1,
      rules,
    );

    expect([...announced.memory.moves, ...next.memory.moves].map(({ to }) => to)).toEqual([aWorkerId(2), aWorkerId(3)]);
  });

  it('take no part in deploys and in evening out, but for giving', () => {
    const deploy = aFleet(
      [aLease(1, { deployGeneration: 1 }), aLease(2, { ...full, deployGeneration: 2 })],
      shardsOf(1, 1),
    );
    const uneven = aFleet([aLease(1, full), aLease(2, full), aLease(3)], shardsOf(1, 1, 1, 1, 2));

    expect(settle(deploy).offers).toEqual([]);
    expect(
      settle(uneven)
        .view.shards.map(({ owner }) => owner)
        .filter((owner) => owner === aWorkerId(2)),
    ).toHaveLength(1);
    expect(ownedBy(settle(uneven).view, aWorkerId(3))).toHaveLength(2);
  });

  it('never get anything new while another target has room; every orphan has a taker if there is any target', () => {
    fc.assert(
      fc.property(anyFleet, fc.infiniteStream(fc.boolean()), (calm, fullness) => {
        const leases = calm.leases.map((lease) => ({
          ...lease,
          load: { ...lease.load, full: fullness.next().value as boolean },
        }));
        const view = aFleet(leases, calm.shards);
        const targets = targetsOf(view);
        const isFull = (workerId: WorkerId): boolean =>
          leases.some((lease) => lease.workerId === workerId && lease.load.full);
        const next = planFirst(view);
        const given = [
          ...[...next.orders].flatMap(([workerId, { claim }]) => claim.map(() => workerId)),
          ...next.memory.moves.map(({ to }) => to),
        ];

        const hasRoom = targets.some((workerId) => !isFull(workerId));
        expect(hasRoom ? given.filter(isFull) : []).toEqual([]);
        const claimed = [...next.orders.values()].flatMap(({ claim }) => claim);
        expect(claimed).toHaveLength(targets.length > 0 ? orphansOf(view).length : 0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('workers that ask to be recycled', () => {
  const asks = (recycle: 'age' | 'memory', full = false) => ({ load: { ...noLoad, recycle, full } });
  const restMs = rules.rebalanceEveryMs;
  /** The workers that are told to drain, in a fleet that has been the same for long enough. */
  const toldOf = (view: FleetView, restedMs = restMs, silent = nobody): readonly WorkerId[] => {
    const rested = { ...noMemory, members: targetsOf(view).join() };
    return [...plan(view, silent, rested, restedMs, rules).orders]
      .filter(([, { recycle }]) => recycle)
      .map(([workerId]) => workerId);
  };
  const owned = shardsOf(1, 2);
  const told = { orders: { ...noOrders, recycle: true } };

  it.each<{ why: string; view: FleetView; expected: readonly number[] }>([
    { why: 'nobody asks', view: aFleet([aLease(1), aLease(2)], owned), expected: [] },
    { why: 'one does', view: aFleet([aLease(1), aLease(2, asks('age'))], owned), expected: [2] },
    {
      why: 'two do: the oldest goes first',
      view: aFleet([aLease(1, asks('age')), aLease(2, asks('age'))], owned),
      expected: [1],
    },
    {
      why: 'memory goes before age',
      view: aFleet([aLease(1, asks('age')), aLease(2, asks('memory'))], owned),
      expected: [2],
    },
    { why: 'there is nobody to take over', view: aFleet([aLease(1, asks('memory'))], shardsOf(1, 1)), expected: [] },
    {
      why: 'the other one has no room, and age can wait',
      view: aFleet([aLease(1, asks('age')), aLease(2, { load: { ...noLoad, full: true } })], owned),
      expected: [],
    },
    {
      why: 'all are full alike, and memory cannot wait',
      view: aFleet([aLease(1, asks('memory', true)), aLease(2, asks('memory', true))], owned),
      expected: [1],
    },
    {
      why: 'another one drains',
      view: aFleet([aLease(1, asks('age')), aLease(2), aLease(3, { state: 'DRAINING' })], owned),
      expected: [],
    },
    {
      why: 'a deploy is under way',
      view: aFleet(
        [aLease(1, { deployGeneration: 1 }), aLease(2, asks('memory')), aLease(3)].map((lease, index) => ({
          ...lease,
          deployGeneration: index === 0 ? 1 : 2,
        })),
        owned,
      ),
      expected: [],
    },
    {
      why: 'a shard has no owner',
      view: aFleet([aLease(1, asks('age')), aLease(2)], shardsOf(1, 2, none)),
      expected: [],
    },
    {
      why: 'one was told, and goes on to be told while another one has a stronger reason',
      view: aFleet([aLease(1, asks('memory')), aLease(2, { ...asks('age'), ...told }), aLease(3)], owned),
      expected: [2],
    },
    {
      why: 'one was told and does not ask any more',
      view: aFleet([aLease(1, told), aLease(2)], owned),
      expected: [],
    },
    {
      why: 'an operator drains it already',
      view: aFleet([aLease(1, { ...asks('age'), drainRequested: true }), aLease(2)], owned),
      expected: [],
    },
  ])('are told when $why: $expected', ({ view, expected }) => {
    expect(toldOf(view)).toEqual(expected.map(aWorkerId));
  });

  it('wait until the fleet has been the same for a while, so that the one before has been replaced', () => {
    const view = aFleet([aLease(1, asks('age')), aLease(2)], owned);

    expect([toldOf(view, restMs - 1), toldOf(view, restMs)]).toEqual([[], [aWorkerId(1)]]);
  });

  it('wait while shards move', () => {
    const view = aFleet([aLease(1, asks('age')), aLease(2)], shardsOf(...Array<number>(8).fill(1)));

    const next = plan(view, nobody, { ...noMemory, members: targetsOf(view).join() }, restMs, rules);

    expect(next.memory.moves.length).toBeGreaterThan(0);
    expect(next.orders.get(aWorkerId(1))?.recycle).toBe(false);
  });

  const anyAskingFleet = fc
    .tuple(anyFleet, fc.array(fc.constantFrom('none', 'age', 'memory'), { minLength: 8, maxLength: 8 }), fc.nat(255))
    .map(([view, reasons, bits]) =>
      aFleet(
        view.leases.map((lease, index) => ({
          ...lease,
          load: { ...lease.load, recycle: reasons[index] ?? 'none', full: ((bits >> index) & 1) === 1 },
        })),
        view.shards,
      ),
    );

  it('are at most one at a time, have asked, and leave somebody who takes over', () => {
    fc.assert(
      fc.property(anyAskingFleet, (view) => {
        const [first, ...others] = toldOf(view);
        const lease = view.leases.find(({ workerId }) => workerId === first);

        expect(others).toEqual([]);
        const heirs = targetsOf(view).filter((workerId) => workerId !== first);
        const isAlone = view.leases.every(({ state }) => state !== 'DRAINING');
        const isRight = lease?.load.recycle !== 'none' && heirs.length > 0 && isAlone;
        expect(first === undefined || isRight).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('all have their turn, one after the other, in any fleet of more than one worker', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 12 }), (workers, shards) => {
        let leases = Array.from({ length: workers }, (_, number) =>
          aLease(number, asks(number % 2 === 0 ? 'age' : 'memory')),
        );
        let rows = shardsOf(...Array.from({ length: shards }, (_, shard) => shard % workers));
        const gone: WorkerId[] = [];
        for (let round = 0; round < workers; round += 1) {
          const told = toldOf(aFleet(leases, settle(aFleet(leases, rows)).view.shards));
          gone.push(...told);
          // It drains and ends, and a new one comes in its place.
          const drained = leases.map((lease) =>
            lease.workerId === told[0] ? { ...lease, state: 'DRAINING' as const } : lease,
          );
          rows = settle(aFleet([...drained, aLease(100 + round)], rows)).view.shards;
          leases = [...leases.filter(({ workerId }) => workerId !== told[0]), aLease(100 + round)];
        }

        expect(new Set(gone).size).toBe(workers);
        expect(toldOf(aFleet(leases, rows))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

describe('open budgets of a plan', () => {
  const openings = (opened: number, openFailed: number) => ({ ...noLoad, opened, openFailed });
  const fleetOf = (count: number, opened: number, openFailed: number): FleetView =>
    aFleet(
      Array.from({ length: count }, (_, number) => aLease(number, { load: openings(opened, openFailed) })),
      [],
    );
  const rateOf = (next: Plan): number | undefined => next.orders.get(aWorkerId(0))?.opensPerSecond;

  it.each([
    { workers: 2, rate: 25 },
    { workers: 20, rate: 25 },
    { workers: 100, rate: 5 },
  ])('share what the fleet may among $workers workers: $rate each', ({ workers, rate }) => {
    expect(rateOf(planFirst(fleetOf(workers, 0, 0)))).toBe(rate);
  });

  it('go to those who open, and to all the others together a tenth', () => {
    const old = Array.from({ length: 125 }, (_, number) => aLease(number, { deployGeneration: 1 }));
    const young = Array.from({ length: 125 }, (_, number) => aLease(200 + number, { deployGeneration: 2 }));
    const view = aFleet([...old, ...young], shardsOf(...Array.from({ length: 125 }, (_, shard) => shard)));
    const rates = [...planFirst(view).orders.values()].map(({ opensPerSecond }) => opensPerSecond);

    expect(rates.filter((rate) => rate === 22)).toHaveLength(20);
    expect(rates.filter((rate) => rate === 0.2)).toHaveLength(230);
  });

  it('go to a worker that lost its sockets, too', () => {
    const lost = { ...noLoad, waiting: 25 };
    const leases = Array.from({ length: 100 }, (_, number) => aLease(number, number === 0 ? { load: lost } : {}));

    expect(rateOf(planFirst(aFleet(leases, [])))).toBe(25);
  });

  it('are never more in all than the fleet may, never more of one than its own budget, and never nothing', () => {
    const anyWorkers = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(
        anyWorkers,
        fc.nat(300),
        fc.constantFrom('normal' as const, 'outage' as const),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 5_000 }),
        (numbers, opening, mode, opensPerSecond, fleetOpensPerSecond) => {
          const workers = numbers.map(aWorkerId);
          const open = new Set(workers.slice(0, opening));
          const shares = shareOpens(workers, open, mode, { opensPerSecond, fleetOpensPerSecond });
          const rates = [...shares.values()];
          const rateOfOthers = [...shares].filter(([workerId]) => !open.has(workerId)).map(([, rate]) => rate);

          expect(rates).toHaveLength(workers.length);
          expect(rates.reduce((sum, rate) => sum + rate, 0)).toBeLessThanOrEqual(fleetOpensPerSecond * (1 + 1e-9));
          expect(Math.max(...rates)).toBeLessThanOrEqual(mode === 'outage' ? 1 : opensPerSecond);
          expect(Math.min(...rates)).toBeGreaterThan(0);
          for (const workerId of open)
            expect(shares.get(workerId)).toBeGreaterThanOrEqual(Math.max(0, ...rateOfOthers));
        },
      ),
    );
  });

  it('fall to a trickle while WhatsApp refuses nearly all, and rise when it takes most again', () => {
    const start = planFirst(fleetOf(2, 100, 0));
    const few = plan(fleetOf(2, 100, 9), nobody, start.memory, 10_000, rules);
    const out = plan(fleetOf(2, 102, 109), nobody, few.memory, 20_000, rules);
    const quiet = plan(fleetOf(2, 102, 109), nobody, out.memory, 30_000, rules);
    const back = plan(fleetOf(2, 110, 110), nobody, quiet.memory, 40_000, rules);

    expect([few, out, quiet, back].map((next) => next.orders.get(aWorkerId(0))?.mode)).toEqual([
      'normal',
      'outage',
      'outage',
      'normal',
    ]);
    expect([few, out, back].map(rateOf)).toEqual([25, 1, 25]);
  });
});
