import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerId } from '../../../shared/kernel/id.ts';
import { orphansOf, type FleetView } from '../../../worker/fleet/fleetView.ts';
import { plan } from '../../../worker/fleet/planner.ts';
import { aLease, anyFleet, aWorkerId, shardsOf } from './views.ts';

const assigned = (view: FleetView): readonly number[] => [...plan(view, nobody).values()].flat();
const ownedBy = (view: FleetView, workerId: WorkerId): number =>
  view.shards.filter(({ owner }) => owner === workerId).length;

const nobody: ReadonlySet<WorkerId> = new Set();

describe('orphans', () => {
  it('are shards that were never claimed, were released, or whose owner is dead or missing', () => {
    const leases = [aLease(1), aLease(2, { state: 'DEAD' }), aLease(3, { state: 'DRAINING' })];

    const orphans = orphansOf({ leases, shards: shardsOf(1, 2, 3, undefined, 9), leader: undefined });

    expect(orphans.map(({ shard }) => shard)).toEqual([1, 3, 4]);
  });
});

describe('planner', () => {
  it('splits a fresh fleet evenly, and the lower id wins a tie', () => {
    const shards = shardsOf(undefined, undefined, undefined, undefined, undefined);

    const assignments = plan({ leases: [aLease(2), aLease(1)], shards, leader: undefined }, nobody);

    expect(Object.fromEntries(assignments)).toEqual({ [aWorkerId(1)]: [0, 2, 4], [aWorkerId(2)]: [1, 3] });
  });

  it('gives orphans to who owns least', () => {
    const shards = shardsOf(1, 1, 2, undefined, undefined);

    const assignments = plan({ leases: [aLease(1), aLease(2)], shards, leader: undefined }, nobody);

    expect(Object.fromEntries(assignments)).toEqual({ [aWorkerId(1)]: [4], [aWorkerId(2)]: [3] });
  });

  it('moves nothing that has a living owner, however uneven', () => {
    const shards = shardsOf(1, 1, 1, 1);

    expect(assigned({ leases: [aLease(1), aLease(2)], shards, leader: undefined })).toEqual([]);
  });

  it('repeats itself until a shard is claimed', () => {
    const shards = shardsOf(undefined, undefined, 1);
    const first = plan({ leases: [aLease(1), aLease(2)], shards, leader: undefined }, nobody);
    const leases = [1, 2].map((number) => aLease(number, { assignment: first.get(aWorkerId(number)) ?? [] }));

    const second = plan({ leases: [...leases, aLease(3)], shards, leader: undefined }, nobody);

    expect([...second].slice(0, 2)).toEqual([...first]);
  });

  it('never assigns to the draining or dead, and only shards that are orphaned', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const alive = view.leases.filter(({ state }) => state === 'ALIVE').map(({ workerId }) => workerId);
        const orphans = new Set(orphansOf(view).map(({ shard }) => shard));

        expect([...plan(view, nobody).keys()].sort()).toEqual(alive.sort());
        expect(assigned(view).every((shard) => orphans.has(shard))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('assigns each orphan exactly once whenever somebody is alive', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const orphans = orphansOf(view).map(({ shard }) => shard);
        const anybody = view.leases.some(({ state }) => state === 'ALIVE');

        expect([...assigned(view)].sort((a, b) => a - b)).toEqual(anybody ? orphans : []);
      }),
      { numRuns: 500 },
    );
  });

  it('never gives a new orphan to one worker while another has two shards less', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const fresh = { ...view, leases: view.leases.map((lease) => ({ ...lease, assignment: [] })) };
        const assignments = plan(fresh, nobody);
        const load = (workerId: WorkerId): number => ownedBy(view, workerId) + (assignments.get(workerId)?.length ?? 0);
        const least = Math.min(...[...assignments.keys()].map(load));

        const given = [...assignments].filter(([, shards]) => shards.length > 0);

        expect(given.filter(([workerId]) => load(workerId) > least + 1)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('gives a silent worker nothing new, and takes nothing from it that it owns', () => {
    const shards = shardsOf(1, 1, 2, undefined);
    const leases = [aLease(1), aLease(2, { assignment: [3] })];

    const assignments = plan({ leases, shards, leader: undefined }, new Set([aWorkerId(2)]));

    expect(Object.fromEntries(assignments)).toEqual({ [aWorkerId(1)]: [3] });
  });

  it('gives the same answer in whatever order the table was read', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const reversed = { ...view, leases: [...view.leases].reverse(), shards: [...view.shards].reverse() };
        const fresh = (fleet: FleetView): FleetView => ({
          ...fleet,
          leases: fleet.leases.map((lease) => ({ ...lease, assignment: [] })),
        });

        expect([...plan(fresh(reversed), nobody)]).toEqual([...plan(fresh(view), nobody)]);
      }),
    );
  });
});
