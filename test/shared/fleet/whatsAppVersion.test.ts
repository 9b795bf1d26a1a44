import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BREAKER,
  noVersionPlan,
  refuseVersion,
  rollBack,
  setVersion,
  versionFor,
  type VersionPlan,
} from '../../../shared/fleet/whatsAppVersion.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';

const VETTED = '2.3000.1';
const NEW = '2.3000.2';
const NEWER = '2.3000.3';
const author = { by: 'ops', atMs: 7 };

const set = (plan: VersionPlan, version: string, percent = 100): VersionPlan => {
  const next = setVersion(plan, { version, percent }, VETTED, author);
  if (next === 'already_current') throw new Error(next);
  return next;
};
const back = (plan: VersionPlan): VersionPlan => {
  const next = rollBack(plan, author);
  if (next === 'nothing_to_roll_back') throw new Error(next);
  return next;
};
const con = (id: number): ConnectionId => `con_${id}` as ConnectionId;
const share = (plan: VersionPlan, version: string): number =>
  Array.from({ length: 10_000 }, (_, id) => versionFor(plan, VETTED, con(id))).filter((used) => used === version)
    .length;

describe('the plan of WhatsApp versions', () => {
  it('is the vetted one for all before anybody has named another', () => {
    expect(share(noVersionPlan, VETTED)).toBe(10_000);
  });

  it('gives a candidate to about its share of the connections', () => {
    const errors = [1, 5, 50].map((percent) => share(set(noVersionPlan, NEW, percent), NEW) / (percent * 100));

    // The places are fixed by the ids, so this never changes.
    for (const error of errors) expect(Math.abs(error - 1)).toBeLessThan(0.15);
  });

  it('lets a connection that uses the candidate go on to use it when the share grows', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 99 }), (id, one, other) => {
        const [few, many] = [Math.min(one, other), Math.max(one, other)];

        const withFew = versionFor(set(noVersionPlan, NEW, few), VETTED, con(id));
        const withMany = versionFor(set(noVersionPlan, NEW, many), VETTED, con(id));

        expect(withFew === NEW ? withMany : NEW).toBe(NEW);
      }),
    );
  });

  it('promotes a candidate, and goes back to what was before', () => {
    const promoted = set(set(noVersionPlan, NEW, 5), NEW);
    const rolledBack = back(promoted);

    expect(promoted).toMatchObject({ current: NEW, candidate: undefined, revision: 2 });
    expect(rolledBack).toMatchObject({ current: undefined, previous: NEW });
    expect(versionFor(rolledBack, VETTED, con(1))).toBe(VETTED);
  });

  it('takes a candidate back first, and then the version for all', () => {
    const plan = set(set(noVersionPlan, NEW), NEWER, 5);

    const once = back(plan);
    const twice = back(once);

    expect(once).toMatchObject({ current: NEW, candidate: undefined });
    expect(twice).toMatchObject({ current: undefined, previous: NEW });
  });

  it('has nothing to go back to at first, and no canary of what all use', () => {
    expect(rollBack(noVersionPlan, author)).toBe('nothing_to_roll_back');
    expect(setVersion(noVersionPlan, { version: VETTED, percent: 5 }, VETTED, author)).toBe('already_current');
  });

  it('takes a candidate back that WhatsApp refuses, and says who did it', () => {
    const plan = refuseVersion(set(noVersionPlan, NEW, 5), NEW, 9);

    expect(plan.candidate).toBeUndefined();
    expect(plan.refused).toEqual([NEW]);
    expect(plan.changes.slice(0, 2)).toEqual([
      { atMs: 9, by: BREAKER, kind: 'rolled_back', version: NEW },
      { atMs: 9, by: BREAKER, kind: 'refused', version: NEW },
    ]);
  });

  it('leaves a version for all as it is when WhatsApp refuses it: only a person knows a better one', () => {
    const plan = refuseVersion(set(set(noVersionPlan, NEW), NEWER, 5), NEW, 9);

    expect(plan).toMatchObject({ current: NEW, candidate: { version: NEWER, percent: 5 }, refused: [NEW] });
  });

  it('notes a refusal once', () => {
    const plan = refuseVersion(noVersionPlan, VETTED, 9);

    expect(refuseVersion(plan, VETTED, 10)).toBe(plan);
  });

  it('tries a refused version again when it is named again', () => {
    const plan = refuseVersion(set(noVersionPlan, NEW), NEW, 9);

    expect(set(plan, NEW)).toMatchObject({ current: NEW, previous: undefined, refused: [] });
    expect(back(set(plan, NEWER))).toMatchObject({ current: NEW, refused: [] });
  });

  it('grows by one revision with each change, and keeps no more than it can show', () => {
    const plan = Array.from({ length: 50 }, (_, index) => `2.3000.${index}`).reduce(
      (before, version) => refuseVersion(set(before, version), version, 1),
      noVersionPlan,
    );

    expect(plan.revision).toBe(100);
    expect(plan.changes).toHaveLength(20);
    expect(plan.refused).toHaveLength(20);
  });
});
