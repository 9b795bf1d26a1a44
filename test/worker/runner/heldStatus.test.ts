import { describe, expect, it } from 'vitest';
import { metricCatalogue } from '../../../shared/platform/metricCatalogue.ts';
import { countStatuses, toHeldStatus } from '../../../worker/runner/heldStatus.ts';

describe('the status of held connections', () => {
  it('is online only with an open socket, and not wanted without a runner', () => {
    const statuses = (['online', 'connecting', 'backing_off', 'draining', 'pairing', 'idle', undefined] as const).map(
      toHeldStatus,
    );

    expect(statuses).toEqual([
      'online',
      'connecting',
      'reconnecting',
      'handing_off',
      'pairing',
      'not_wanted',
      'not_wanted',
    ]);
  });

  it('is counted for every status that the catalogue has, also where there is none', () => {
    const counts = countStatuses(['online', 'online', 'pairing']);

    expect(new Set(counts.keys())).toEqual(new Set(metricCatalogue.ConnectionsByStatus.dimensions.status));
    expect(Object.fromEntries(counts)).toMatchObject({ online: 2, pairing: 1, reconnecting: 0 });
  });
});
