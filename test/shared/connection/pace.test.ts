import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterLimit,
  afterRefusal,
  brakedForMs,
  brakeRules,
  brakingRefusals,
  type AccountLimit,
  type BrakeCause,
  type Brakes,
} from '../../../shared/connection/brakes.ts';
import {
  nextFirstContactAtMs,
  plannedFirstContacts,
  usedFirstContacts,
  warmUpPlan,
  withFirstContact,
} from '../../../shared/connection/firstContacts.ts';
import { allWait, firstContactWait, newPace, readPace, shownPace, type Pace } from '../../../shared/connection/pace.ts';
import { toTell } from '../../../shared/connection/pace.ts';
import { readToldPace, type ToldPace } from '../../../shared/connection/toldPace.ts';
import { withDefaults } from '../../../shared/connection/settings.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12, 34, 56);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const chosen = withDefaults({}).pace;
const limitOf = (firstContactsPerDay: number) => ({ ...chosen, firstContactsPerDay });

describe('the budget of first contacts', () => {
  it('grows with the age of the link, and never shrinks', () => {
    fc.assert(
      fc.property(fc.nat(400 * DAY_MS), fc.nat(400 * DAY_MS), (age, more) => {
        expect(plannedFirstContacts(NOW_MS - age, NOW_MS)).toBeLessThanOrEqual(
          plannedFirstContacts(NOW_MS - age - more, NOW_MS),
        );
      }),
    );
    expect(warmUpPlan.map(({ fromDays }) => plannedFirstContacts(NOW_MS - fromDays * DAY_MS, NOW_MS))).toEqual(
      warmUpPlan.map(({ firstContacts }) => firstContacts),
    );
    expect(plannedFirstContacts(NOW_MS + DAY_MS, NOW_MS)).toBe(warmUpPlan[0].firstContacts);
  });

  it('is never exceeded in any 24 hours, however the tries are spread, and whatever is read back from a row in between', () => {
    const pauses = fc.array(fc.oneof(fc.nat(1_000), fc.nat(3 * HOUR_MS), fc.nat(30 * HOUR_MS)), { maxLength: 120 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 12 }), (gaps, limit) => {
        let pace: Pace = newPace('a', NOW_MS);
        const left: number[] = [];
        let nowMs = NOW_MS;
        for (const gap of gaps) {
          nowMs += gap;
          if (firstContactWait(pace, limitOf(limit), nowMs) !== undefined) continue;
          left.push(nowMs);
          pace = { ...pace, hours: withFirstContact(pace.hours, nowMs) };
          pace = readPace(JSON.parse(JSON.stringify(pace))) ?? newPace('lost', nowMs);
        }

        for (const from of left) {
          expect(left.filter((at) => at >= from && at < from + DAY_MS).length).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('says when the next may leave: not before, and then for certain', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(DAY_MS), { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (ages, limit) => {
        const hours = ages
          .map((age) => NOW_MS - age)
          .toSorted((left, right) => left - right)
          .reduce((counted, atMs) => withFirstContact(counted, atMs), {});
        const atMs = nextFirstContactAtMs(hours, limit, NOW_MS);

        expect(atMs - NOW_MS).toBeLessThanOrEqual(DAY_MS + HOUR_MS);
        expect(usedFirstContacts(hours, atMs)).toBeLessThan(limit);
        expect(atMs > NOW_MS ? usedFirstContacts(hours, atMs - 1) : limit).toBeGreaterThanOrEqual(limit);
      }),
    );
  });

  it('gets nothing back when the clock is set back, and does not count for ever what left in its future', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(DAY_MS), { maxLength: 30 }), fc.nat(400 * DAY_MS), (ages, back) => {
        const hours = ages
          .toSorted((left, right) => right - left)
          .reduce((counted, age) => withFirstContact(counted, NOW_MS - age), {});
        const then = NOW_MS - back;

        expect(usedFirstContacts(hours, then)).toBeGreaterThanOrEqual(usedFirstContacts(hours, NOW_MS));
        const after = withFirstContact(hours, then);
        expect(usedFirstContacts(after, then + 26 * HOUR_MS)).toBe(0);
      }),
    );
  });

  it('is none with 0, and without end where the settings take it away', () => {
    const pace = { ...newPace('a', NOW_MS), hours: { [Math.floor(NOW_MS / HOUR_MS)]: 5_000 } };

    expect(firstContactWait(newPace('a', NOW_MS), limitOf(0), NOW_MS)).toMatchObject({
      code: 'first_contacts_used_up',
    });
    expect(firstContactWait(pace, { ...chosen, budgets: 'off' }, NOW_MS)).toBeUndefined();
    expect(shownPace(pace, { ...chosen, budgets: 'off' }, NOW_MS)).toEqual({
      used: 5_000,
      limit: undefined,
      wait: undefined,
    });
  });
});

describe('a brake', () => {
  const causes = Object.values(brakingRefusals);
  const limits: fc.Arbitrary<AccountLimit> = fc.oneof(
    fc.record({
      limit: fc.constant('time_lock' as const),
      isActive: fc.boolean(),
      asked: fc.boolean(),
      untilMs: fc.option(fc.oneof(fc.double(), fc.constant(Number.NaN)), { nil: undefined }),
    }),
    fc.record({
      limit: fc.constant('chat_cap' as const),
      isActive: fc.boolean(),
      untilMs: fc.option(fc.integer({ min: NOW_MS - DAY_MS, max: NOW_MS + 90 * DAY_MS }), { nil: undefined }),
    }),
  );

  it('of a refusal rests for longer each time, up to the last rest, and begins anew when it is forgiven', () => {
    for (const because of new Set(causes)) {
      const { stops, restsMs, forgivenAfterMs } = brakeRules[because];
      let brakes: Brakes = {};
      let nowMs = NOW_MS;
      const rests = [...restsMs, restsMs.at(-1)].map((expected) => {
        brakes = afterRefusal(brakes, because, nowMs);
        expect(brakedForMs(brakes[stops], nowMs)).toBe(expected);
        nowMs = brakes[stops]?.untilMs ?? Number.NaN;
        expect(brakedForMs(brakes[stops], nowMs)).toBe(0);
        return expected ?? 0;
      });

      expect(rests).toEqual(rests.toSorted((left, right) => left - right));
      const later = nowMs + forgivenAfterMs + 1;
      expect(brakedForMs(afterRefusal(brakes, because, later)[stops], later)).toBe(restsMs[0]);
    }
  });

  it('is not made longer by a refusal while it is on', () => {
    const brakes = afterRefusal({}, 'restricted', NOW_MS);

    expect(afterRefusal(brakes, 'restricted', NOW_MS + 1)).toBe(brakes);
  });

  it('stops new contacts alone where the refusal was of one, and everything where it was too fast', () => {
    const restricted = { ...newPace('a', NOW_MS), brakes: afterRefusal({}, 'restricted', NOW_MS) };
    const fast = { ...newPace('a', NOW_MS), brakes: afterRefusal({}, 'too_fast', NOW_MS) };

    expect(allWait(restricted, NOW_MS)).toBeUndefined();
    expect(firstContactWait(restricted, { ...chosen, budgets: 'off' }, NOW_MS)).toMatchObject({
      code: 'first_contacts_restricted',
    });
    expect(allWait(fast, NOW_MS)).toEqual({ code: 'sends_too_fast', untilMs: NOW_MS + 60_000 });
  });

  it('takes the end that WhatsApp names, goes when it says so, and stays when there is no lock where it was asked', () => {
    const lock = { limit: 'time_lock', isActive: true, asked: true, untilMs: NOW_MS + 5 * HOUR_MS } as const;
    const refused = afterRefusal({}, 'restricted', NOW_MS);
    const locked = afterLimit(refused, lock, NOW_MS);

    expect(brakedForMs(locked.firstContacts, NOW_MS)).toBe(5 * HOUR_MS);
    expect(afterLimit(refused, { limit: 'time_lock', isActive: false, asked: true }, NOW_MS)).toBe(refused);
    const lifted = afterLimit(locked, { limit: 'time_lock', isActive: false, asked: false }, NOW_MS);
    expect(brakedForMs(lifted.firstContacts, NOW_MS)).toBe(0);
    expect(afterLimit(locked, { limit: 'chat_cap', isActive: false }, NOW_MS)).toBe(locked);
    const capped = afterLimit({}, { limit: 'chat_cap', isActive: true, untilMs: NOW_MS + DAY_MS }, NOW_MS);
    expect(afterLimit(capped, { ...lock, asked: false }, NOW_MS)).toBe(capped);
  });

  it('never lasts for more than 30 days and never for ever, whatever is told and whatever the clock says', () => {
    const steps = fc.array(fc.oneof(fc.constantFrom<BrakeCause>(...causes), limits), { maxLength: 20 });
    fc.assert(
      fc.property(steps, fc.integer({ min: -90 * DAY_MS, max: 90 * DAY_MS }), (told, shift) => {
        const brakes = told.reduce<Brakes>(
          (before, step) =>
            typeof step === 'string' ? afterRefusal(before, step, NOW_MS) : afterLimit(before, step, NOW_MS),
          {},
        );
        for (const brake of Object.values(brakes)) {
          const forMs = brakedForMs(brake, NOW_MS + shift);
          expect(forMs).toBeGreaterThanOrEqual(0);
          expect(forMs).toBeLessThanOrEqual(30 * DAY_MS);
        }
        expect(readPace(JSON.parse(JSON.stringify({ ...newPace('a', NOW_MS), brakes })))?.brakes).toEqual(brakes);
      }),
    );
  });
});

describe('a stored pace', () => {
  it('is read whatever stands there', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (anything, part) => {
        expect(() => readPace(anything)).not.toThrow();
        const pace = readPace({ account: 'a', linkedAtMs: 0, hours: part, brakes: { all: part, firstContacts: part } });
        expect(() => pace && shownPace(pace, chosen, NOW_MS)).not.toThrow();
      }),
    );
  });
});

describe('what a tenant is told of the pace', () => {
  type Step =
    | { readonly what: 'first_contact' | 'refused' | 'too_fast' }
    | { readonly what: 'told'; readonly limit: AccountLimit }
    | { readonly what: 'passes'; readonly ms: number };
  const steps = fc.array(
    fc.oneof<fc.Arbitrary<Step>[]>(
      fc.constantFrom<Step>({ what: 'first_contact' }, { what: 'refused' }, { what: 'too_fast' }),
      fc.record({
        what: fc.constant('told' as const),
        limit: fc.record({
          limit: fc.constant('time_lock' as const),
          isActive: fc.boolean(),
          asked: fc.boolean(),
          untilMs: fc.option(fc.integer({ min: NOW_MS, max: NOW_MS + 3 * DAY_MS }), { nil: undefined }),
        }),
      }),
      fc.record({ what: fc.constant('passes' as const), ms: fc.oneof(fc.nat(60_000), fc.nat(2 * DAY_MS)) }),
    ),
    { maxLength: 60 },
  );
  const after = (pace: Pace, step: Step, nowMs: number): Pace => {
    switch (step.what) {
      case 'first_contact':
        return firstContactWait(pace, limitOf(4), nowMs) === undefined
          ? { ...pace, hours: withFirstContact(pace.hours, nowMs) }
          : pace;
      case 'refused':
        return { ...pace, brakes: afterRefusal(pace.brakes, 'restricted', nowMs) };
      case 'too_fast':
        return { ...pace, brakes: afterRefusal(pace.brakes, 'too_fast', nowMs) };
      case 'told':
        return { ...pace, brakes: afterLimit(pace.brakes, step.limit, nowMs) };
      default:
        return pace;
    }
  };

  it('is a change each time, numbered without a gap, and in the end what holds', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        let pace = newPace('a', NOW_MS);
        let nowMs = NOW_MS;
        const told: ToldPace[] = [];
        for (const step of [...taken, { what: 'passes', ms: 40 * DAY_MS } as const]) {
          if (step.what === 'passes') nowMs += step.ms;
          pace = after(pace, step, nowMs);
          const next = toTell(pace, limitOf(4), nowMs);
          if (next === undefined) continue;
          told.push(next);
          pace = { ...pace, told: readToldPace(JSON.parse(JSON.stringify(next))) ?? next };
          expect(toTell(pace, limitOf(4), nowMs)).toBeUndefined();
          expect(next.wait).toEqual(shownPace(pace, limitOf(4), nowMs).wait);
        }

        expect(told.map(({ number }) => number)).toEqual(told.map((_, place) => place + 1));
        expect(told.at(-1)?.wait).toBeUndefined();
        for (const [place, { wait }] of told.entries()) {
          const before = told[place - 1]?.wait;
          expect(wait?.code !== before?.code || wait?.untilMs !== before?.untilMs).toBe(true);
        }
      }),
    );
  });

  it('is no storm: a budget that is used up is told at most five times a day, whoever takes each place that gets free', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 * HOUR_MS), { maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (gaps, limit) => {
        let pace = newPace('a', NOW_MS);
        let nowMs = NOW_MS;
        const begun: number[] = [];
        for (const gap of gaps) {
          nowMs += gap;
          while (firstContactWait(pace, limitOf(limit), nowMs) === undefined) {
            pace = { ...pace, hours: withFirstContact(pace.hours, nowMs) };
          }
          const told = toTell(pace, limitOf(limit), nowMs);
          if (told?.wait !== undefined) begun.push(nowMs);
          if (told !== undefined) pace = { ...pace, told };
        }

        for (const from of begun) {
          expect(begun.filter((at) => at >= from && at < from + DAY_MS).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });

  it('reads back whatever a row has, and nothing that is damaged', () => {
    fc.assert(fc.property(fc.anything(), (stored) => void readToldPace(stored)));
    expect(readToldPace({ number: 3, atMs: NOW_MS, wait: { code: 'a', untilMs: 1 } })).toEqual({
      number: 3,
      atMs: NOW_MS,
    });
    expect(readToldPace({ number: 'x', atMs: NOW_MS })).toBeUndefined();
  });

  it('follows the settings, and what the fleet says where they say nothing', () => {
    const pace: Pace = { ...newPace('a', NOW_MS), budgets: 'off' };
    const kept = { ...chosen, budgets: 'kept' } as const;

    expect(shownPace(pace, chosen, NOW_MS)).toEqual({ used: 0, limit: undefined, wait: undefined });
    expect(shownPace(pace, kept, NOW_MS).limit).toBe(20);
    expect(shownPace(newPace('a', NOW_MS), { ...chosen, budgets: 'off' }, NOW_MS).limit).toBeUndefined();
    expect(readPace(JSON.parse(JSON.stringify(pace)))).toEqual(pace);
  });
});
