import * as fc from 'fast-check';
import type { WorkerId } from '../../../shared/kernel/id.ts';
import { noLoad, noOrders, type FleetView, type LeaseView, type ShardView } from '../../../shared/fleet/fleetView.ts';

/** A worker id that sorts by its number. */
export const aWorkerId = (number: number): WorkerId => `wrk_${String(number).padStart(3, '0')}` as WorkerId;

/** A lease that is ALIVE, unless said otherwise. */
export function aLease(number: number, overrides: Partial<LeaseView> = {}): LeaseView {
  return {
    workerId: aWorkerId(number),
    taskId: `task-${number}`,
    state: 'ALIVE',
    heartbeat: 1,
    deployGeneration: 0,
    zone: undefined,
    startedAtMs: 0,
    seenAtMs: 0,
    proof: undefined,
    load: noLoad,
    expecting: [],
    orders: noOrders,
    drainRequested: false,
    handOffs: [],
    ...overrides,
  };
}

/** Shards 0, 1, … with these owners. */
export function shardsOf(...owners: readonly (number | undefined)[]): readonly ShardView[] {
  return owners.map((owner, shard) => ({
    shard,
    owner: owner === undefined ? undefined : aWorkerId(owner),
    epoch: owner === undefined ? 0 : 1,
    next: undefined,
  }));
}

/** A fleet that nobody leads. */
export const aFleet = (leases: readonly LeaseView[], shards: readonly ShardView[]): FleetView => ({
  leases,
  shards,
  leadership: { leader: undefined, deputy: undefined },
});

/** Any fleet: workers in all states and of two generations, shards of the living, the dead, the missing and nobody. */
export const anyFleet: fc.Arbitrary<FleetView> = fc
  .record({ workers: fc.integer({ min: 0, max: 8 }), shards: fc.integer({ min: 0, max: 24 }) })
  .chain(({ workers, shards }) => {
    const anyShard = fc.integer({ min: 0, max: Math.max(0, shards - 1) });
    const anyLease = (number: number): fc.Arbitrary<LeaseView> =>
      fc
        .record({
          state: fc.constantFrom('ALIVE' as const, 'DRAINING' as const, 'DEAD' as const),
          deployGeneration: fc.integer({ min: 1, max: 2 }),
          claim: fc.uniqueArray(anyShard, { maxLength: 6 }),
          expecting: fc.uniqueArray(anyShard, { maxLength: 6 }),
          connections: fc.integer({ min: 0, max: 400 }),
          drainRequested: fc.boolean(),
          handOffs: fc.array(fc.record({ shard: anyShard, epoch: fc.integer({ min: 0, max: 1 }) }), { maxLength: 3 }),
        })
        .map(({ claim, connections, ...lease }) =>
          aLease(number, { ...lease, orders: { ...noOrders, claim }, load: { ...noLoad, connections } }),
        );
    return fc
      .record({
        leases: fc.tuple(...Array.from({ length: workers }, (_, number) => anyLease(number))),
        owners: fc.array(fc.option(fc.integer({ min: 0, max: workers + 2 }), { nil: undefined }), {
          minLength: shards,
          maxLength: shards,
        }),
      })
      .map(({ leases, owners }) => aFleet(leases, shardsOf(...owners)));
  });
