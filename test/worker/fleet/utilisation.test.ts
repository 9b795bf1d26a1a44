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

  it('stays what it was while new workers stand beside the old ones, and when only the first of them is there', () => {
    const old = [1, 2].map((number) => aLease(number, { ...holding(300), deployGeneration: 1 }));
    const young = [3, 4].map((number) => aLease(number, { deployGeneration: 2 }));

    const all = [old, [...old, ...young.slice(0, 1)], [...old, ...young]];

    expect(all.map((leases) => utilisationPercent(leases, 400))).toEqual([75, 75, 75]);
  });

  it('leaves the dead out, whose connections others are about to hold', () => {
    const leases = [aLease(1, holding(200)), aLease(2, { ...holding(400), state: 'DEAD' })];

    expect(utilisationPercent(leases, 400)).toBe(50);
  });

  it('is full when nobody may take more', () => {
    expect(utilisationPercent([aLease(1, { state: 'DRAINING' })], 400)).toBe(100);
  });
});
