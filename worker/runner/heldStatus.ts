import type { DimensionsOf } from '../../shared/platform/metricCatalogue.ts';
import type { StateName } from './machineTypes.ts';

/** The status of a held connection for whoever looks after the fleet. */
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

/**
 * The status of a held connection.
 * @param state the state of its runner; undefined when there is none, as nobody wants it online
 */
export function toHeldStatus(state: StateName | undefined): HeldStatus {
  return state === undefined ? 'not_wanted' : statusByState[state];
}

/**
 * The number of connections by status, with no status left out: a gauge without a new value keeps its last one for ever
 * in a scrape.
 */
export function countStatuses(all: Iterable<HeldStatus>): ReadonlyMap<HeldStatus, number> {
  const counts = new Map<HeldStatus, number>(Object.values(statusByState).map((status) => [status, 0]));
  for (const status of all) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}
