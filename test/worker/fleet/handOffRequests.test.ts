import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noLoad, ownedBy, type FleetView, type ShardView } from '../../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../../shared/kernel/id.ts';
import { plan } from '../../../worker/fleet/planner.ts';
import { noMemory, type Move, type PlanRules } from '../../../worker/fleet/planTypes.ts';
import { aFleet, aLease, anyFleet, aWorkerId, shardsOf } from './views.ts';

const rules: PlanRules = {
  giveDeadlineMs: 30_000,
  rebalanceEveryMs: 60_000,
  rebalancePercent: 100,
  canaryPercent: 100,
  canaryHoldMs: 600_000,
  opensPerSecond: 25,
  fleetOpensPerSecond: 500,
};
const nobody: ReadonlySet<WorkerId> = new Set();
const LATER_MS = 1_000_000;

/** What is on its way at a second plan, late enough to even out. */
const movesOf = (view: FleetView): readonly Move[] => {
  const { memory } = plan(view, nobody, noMemory, 0, rules);
  return plan(view, nobody, memory, LATER_MS, rules).memory.moves;
};
/** Shards 0, 1, … with these owners; the first one under this epoch. */
const shardsSince = (epoch: number, ...owners: readonly number[]): readonly ShardView[] =>
  shardsOf(...owners).map((row) => (row.shard === 0 ? { ...row, epoch } : row));
const shardsIn = (some: readonly { readonly shard: number }[]): readonly number[] =>
  some.map(({ shard }) => shard).sort((left, right) => left - right);
const request = { handOffs: [{ shard: 0, epoch: 1 }] };

describe('a hand-off that the watchdog requests', () => {
  it('moves that shard, and only it, to the other worker with the fewest', () => {
    const view = aFleet([aLease(1, request), aLease(2), aLease(3)], shardsOf(1, 1, 2, 3, 3));

    expect(movesOf(view)).toMatchObject([{ shard: 0, epoch: 1, to: aWorkerId(2), reason: 'watchdog' }]);
  });

  it('is offered once the target watches, and only as fast as the target can open', () => {
    const busy = aLease(1, { ...request, load: { ...noLoad, connections: 100 } });
    const view = aFleet([busy, aLease(2)], shardsOf(1));
    const announced = plan(view, nobody, noMemory, 0, rules);
    const watching = aFleet([busy, aLease(2, { expecting: [0] })], view.shards);

    const offered = plan(watching, nobody, announced.memory, 1_000, rules);

    expect(announced.orders.get(aWorkerId(2))?.expect).toEqual([0]);
    expect(announced.offers).toEqual([]);
    expect(offered.offers).toEqual([{ shard: view.shards[0], to: aWorkerId(2), reason: 'watchdog' }]);
    expect(offered.orders.get(aWorkerId(1))?.give).toEqual([0]);
  });

  it('is void once the shard has changed its owner, also when it came back', () => {
    const cameBack = aFleet([aLease(1, request), aLease(2)], shardsSince(3, 1, 2));

    expect(movesOf(cameBack)).toEqual([]);
  });

  it('waits while there is nobody else', () => {
    expect(movesOf(aFleet([aLease(1, request)], shardsOf(1)))).toEqual([]);
    expect(movesOf(aFleet([aLease(1, request), aLease(2, { state: 'DRAINING' })], shardsOf(1)))).toEqual([]);
  });

  it('keeps its shard away from the worker that the watchdog took it from', () => {
    // Worker 1 has the fewest and would get it back to even out.
    const view = aFleet([aLease(1, request), aLease(2)], shardsSince(2, 2, 2));

    expect(movesOf(view).map(({ shard, to }) => [shard, to])).toEqual([[1, aWorkerId(1)]]);
  });

  it('gives way to a drain: who ends gives its shards to whoever is left', () => {
    const view = aFleet([aLease(1, request), aLease(2, { state: 'DRAINING' })], shardsSince(2, 2));

    expect(movesOf(view)).toMatchObject([{ shard: 0, to: aWorkerId(1), reason: 'drain' }]);
  });

  it('never goes to the owner, nor to a worker which that shard is to leave, nor to one that may take none', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        for (const { shard, to, reason } of movesOf(view)) {
          const target = view.leases.find(({ workerId }) => workerId === to);
          expect(ownedBy(view, to).map((row) => row.shard)).not.toContain(shard);
          expect([target?.state, target?.drainRequested]).toEqual(['ALIVE', false]);
          const isUnwelcome = target?.handOffs.some((one) => one.shard === shard);
          expect(reason !== 'drain' && isUnwelcome).toBe(false);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is planned for every such shard whenever another of the newest generation can take it', () => {
    fc.assert(
      fc.property(anyFleet, (view) => {
        const able = view.leases.filter(({ state, drainRequested }) => state === 'ALIVE' && !drainRequested);
        const newest = Math.max(...able.map(({ deployGeneration }) => deployGeneration));
        const targets = able.filter(({ deployGeneration }) => deployGeneration === newest);
        const requested = able.flatMap((lease) =>
          ownedBy(view, lease.workerId).filter((row) =>
            lease.handOffs.some(({ shard, epoch }) => shard === row.shard && epoch === row.epoch),
          ),
        );
        const movable = requested.filter(({ shard, owner }) =>
          targets.some(({ workerId, handOffs }) => workerId !== owner && !handOffs.some((one) => one.shard === shard)),
        );

        const moved = movesOf(view).filter(({ reason }) => reason === 'watchdog');

        expect(shardsIn(moved)).toEqual(shardsIn(movable));
      }),
      { numRuns: 1_000 },
    );
  });
});
