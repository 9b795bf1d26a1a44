import { changeOwnedRecord, type CoreTable, type OwnedRecord } from './ownedItem.ts';
import type { Pace } from './pace.ts';

/** Stores the pace of a connection on its record, unless a newer owner has written. */
export function recordPace(core: CoreTable, owned: OwnedRecord, pace: Pace): Promise<'recorded' | 'lost'> {
  return changeOwnedRecord(core, owned, { update: 'SET pace = :pace', values: { ':pace': pace } });
}
