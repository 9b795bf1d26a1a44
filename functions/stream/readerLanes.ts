import type { LanePlace } from '../../shared/event/eventCursor.ts';

/** How far a reader has come in each lane. */
export interface ReaderLanes {
  readonly generation: number;
  readonly lanes: readonly LanePlace[];
}

/** Whether a place of a lane is before another. */
export function isBefore(one: LanePlace, other: LanePlace): boolean {
  return one.page < other.page || (one.page === other.page && one.taken < other.taken);
}

/** Whether a reader has, in each lane, at least what another has. */
export function hasAllOf(reader: ReaderLanes, other: ReaderLanes): boolean {
  return (
    reader.generation === other.generation &&
    reader.lanes.every((place, lane) => {
      const there = other.lanes[lane];
      return there === undefined || !isBefore(place, there);
    })
  );
}

/** Whether two readers have come exactly as far. */
export function isLevel(one: ReaderLanes, other: ReaderLanes): boolean {
  return one === other || (hasAllOf(one, other) && hasAllOf(other, one));
}
