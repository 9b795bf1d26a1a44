import * as fc from 'fast-check';
import type { WorkerId } from '../../../shared/kernel/id.ts';
import type { FleetView, LeaseView, ShardView } from '../../../worker/fleet/fleetView.ts';

/** A worker id that sorts by its number. */
export const aWorkerId = (number: number): WorkerId => `wrk_${String(number).padStart(3, '0')}` as WorkerId;

/** A lease that is ALIVE, unless said otherwise. */
export function aLease(number: number, overrides: Partial<LeaseView> = {}): LeaseView {
  return {
    workerId: aWorkerId(number),
    taskId: `task-${number}`,
    state: 'ALIVE',
    heartbeat: 1,
    assignment: [],
    ...overrides,
  };
}

/** Shards 0, 1, … with these owners. */
export function shardsOf(...owners: readonly (number | undefined)[]): readonly ShardView[] {
  return owners.map((owner, shard) => ({
    shard,
    owner: owner === undefined ? undefined : aWorkerId(owner),
    epoch: owner === undefined ? 0 : 1,
  }));
}

/** Any fleet: workers in all states, shards of the living, the dead, the missing and nobody, and any old assignments. */
export const anyFleet: fc.Arbitrary<FleetView> = fc
  .record({ workers: fc.integer({ min: 0, max: 8 }), shards: fc.integer({ min: 0, max: 24 }) })
  .chain(({ workers, shards }) =>
    fc.record({
      leases: fc.tuple(
        ...Array.from({ length: workers }, (_, number) =>
          fc
            .record({
              state: fc.constantFrom('ALIVE' as const, 'DRAINING' as const, 'DEAD' as const),
              assignment: fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, shards - 1) }), { maxLength: 6 }),
            })
            .map((lease) => aLease(number, lease)),
        ),
      ),
      shards: fc
        .array(fc.option(fc.integer({ min: 0, max: workers + 2 }), { nil: undefined }), {
          minLength: shards,
          maxLength: shards,
        })
        .map((owners) => shardsOf(...owners)),
      leader: fc.constant(undefined),
    }),
  );
