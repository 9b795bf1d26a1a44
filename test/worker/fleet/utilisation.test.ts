import { describe, expect, it } from 'vitest';
import { noLoad } from '../../../shared/fleet/fleetView.ts';
import { utilisationPercent } from '../../../worker/fleet/leader.ts';
import { aLease } from './views.ts';

const holding = (connections: number) => ({ load: { ...noLoad, connections } });

describe('the utilisation of the fleet', () => {
  it('is what the living hold, in percent of what those may hold who take more', () => {
    const leases = [aLease(1, holding(300)), aLease(2, holding(100))];

    expect(utilisationPercent(leases, 400)).toBe(50);
  });

  it('grows while a worker drains, as its connections need room elsewhere, so that a deploy does not shrink the fleet', () => {
    const leases = [aLease(1, holding(300)), aLease(2, { ...holding(100), state: 'DRAINING' })];

    expect(utilisationPercent(leases, 400)).toBe(100);
  });

  it('leaves the dead out, whose connections others are about to hold', () => {
    const leases = [aLease(1, holding(200)), aLease(2, { ...holding(400), state: 'DEAD' })];

    expect(utilisationPercent(leases, 400)).toBe(50);
  });

  it('is full when nobody may take more', () => {
    expect(utilisationPercent([aLease(1, { state: 'DRAINING' })], 400)).toBe(100);
  });
});
