import type { DimensionsOf } from '../../shared/platform/metricCatalogue.ts';
import type { StateName } from './machineTypes.ts';

/** How a connection stands, as far as whoever looks after the fleet has to know. */
export type HeldStatus = DimensionsOf<'ConnectionsByStatus'>['status'];

const statusByState: Readonly<Record<StateName, HeldStatus>> = {
  idle: 'not_wanted',
  pairing: 'pairing',
  connecting: 'connecting',
  online: 'online',
  backing_off: 'reconnecting',
  draining: 'handing_off',
  stopped: 'not_wanted',
};

/** @param state of its runner; undefined when there is none, as nobody wants it online */
export function toHeldStatus(state: StateName | undefined): HeldStatus {
  return state === undefined ? 'not_wanted' : statusByState[state];
}

/** How many there are of each, nothing left out: a gauge that is not said keeps its last value for ever in a scrape. */
export function countStatuses(all: Iterable<HeldStatus>): ReadonlyMap<HeldStatus, number> {
  const counts = new Map<HeldStatus, number>([...Object.values(statusByState)].map((status) => [status, 0]));
  for (const status of all) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}
