import { array, assert, constantFrom, integer, option, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contact } from '../../../shared/contact/contact.ts';
import { countryOf } from '../../../shared/contact/country.ts';
import {
  NAME_REST_MS,
  planSighting,
  SEEN_AGAIN_MS,
  type ContactWrite,
  type KnownRows,
} from '../../../shared/contact/planSighting.ts';
import type { Sighting } from '../../../shared/contact/sighting.ts';

type Row = Contact & { readonly mergedInto?: string };

/** The rows of one connection, as the store keeps them: each write with its condition. */
class Rows implements KnownRows {
  readonly people = new Map<string, Row>();
  readonly leads = new Map<string, string>();

  readonly find = (id: string): Row | undefined => this.people.get(id);
  readonly leadOf = (number: string): string | undefined => this.leads.get(number);

  /** @param writes the number of writes after which the process dies */
  see(sighting: Sighting, nowMs = 1, writes = Infinity) {
    const plan = planSighting(sighting, this, nowMs);
    const all = [...(plan.own === undefined ? [] : [plan.own]), ...plan.others];
    for (const write of all.slice(0, writes)) this.#apply(write);
    return plan;
  }

  get shown(): readonly Row[] {
    return [...this.people.values()].filter(({ mergedInto }) => mergedInto === undefined);
  }

  #apply(write: ContactWrite): void {
    if (write.write === 'make') this.people.set(write.contact.id, write.contact);
    else if (write.write === 'lead') this.leads.set(write.number, write.id);
    else {
      const row = this.people.get(write.id);
      if (row === undefined) return;
      const set =
        write.write === 'change'
          ? { ...write.set, version: write.version + 1 }
          : write.write === 'merge'
            ? { mergedInto: write.into }
            : { number: '' };
      this.people.set(write.id, { ...row, ...set });
    }
  }
}

const PEOPLE = 4;
const sighting = record({
  person: integer({ min: 0, max: PEOPLE - 1 }),
  by: constantFrom('lid', 'number', 'both'),
  push: option(constantFrom('Ada', 'Bob'), { nil: undefined }),
  dies: integer({ min: 0, max: 4 }),
});

const of = (person: number, by: string, push?: string): Sighting => ({
  ...(by === 'number' ? {} : { lid: `22${person}@lid` }),
  ...(by === 'lid' ? {} : { number: `491510000000${person}` }),
  ...(push === undefined ? {} : { push }),
});

describe('sightings of people', () => {
  it('always come to one row a person once both addresses were named, wherever the process died', () => {
    assert(
      property(array(sighting, { maxLength: 30 }), (seen) => {
        const rows = new Rows();
        for (const { person, by, push, dies } of seen) rows.see(of(person, by, push), 1, dies);
        for (let person = 0; person < PEOPLE; person += 1) rows.see(of(person, 'both'));

        expect(rows.shown.map(({ id }) => id).toSorted()).toEqual(['220@lid', '221@lid', '222@lid', '223@lid']);
        for (let person = 0; person < PEOPLE; person += 1) {
          expect(rows.leadOf(`491510000000${person}`)).toBe(`22${person}@lid`);
        }
      }),
    );
  });

  it('never write or tell anything the second time', () => {
    assert(
      property(array(sighting, { maxLength: 20 }), sighting, (seen, { person, by, push }) => {
        const rows = new Rows();
        for (const [place, one] of seen.entries()) rows.see(of(one.person, one.by, one.push), place * NAME_REST_MS);
        const lastMs = seen.length * NAME_REST_MS;
        rows.see(of(person, by, push), lastMs);

        expect(rows.see(of(person, by, push), lastMs)).toEqual({ own: undefined, others: [], news: [] });
      }),
    );
  });

  it('keep the row of who is still there, by a write in thirty days', () => {
    const rows = new Rows();
    rows.see(of(0, 'both'), 1);

    expect(rows.see(of(0, 'both'), SEEN_AGAIN_MS)).toMatchObject({ own: undefined, others: [] });
    expect(rows.see(of(0, 'both'), 1 + SEEN_AGAIN_MS)).toMatchObject({
      own: { write: 'change', set: { seenAtMs: 1 + SEEN_AGAIN_MS } },
      others: [{ write: 'lead' }],
    });
  });

  it('tell a name that has changed, and neither a first one nor somebody new', () => {
    const rows = new Rows();

    expect(rows.see(of(0, 'both')).news).toEqual([]);
    expect(rows.see(of(0, 'both', 'Ada')).news).toEqual([]);
    expect(rows.see(of(0, 'lid', 'Ada L.')).news).toMatchObject([{ news: 'changed', changed: { push: 'Ada L.' } }]);
  });

  it('tell the names of who has another one with each message once in ten minutes, and the last of them in the end', () => {
    const rows = new Rows();
    rows.see(of(0, 'both', 'name 0'), 0);
    const told = Array.from({ length: 60 }, (_, second) =>
      rows.see(of(0, 'lid', `name ${second + 1}`), 1 + second * 1_000),
    );

    expect(told.flatMap(({ news }) => news)).toHaveLength(1);
    expect(told.flatMap(({ own }) => own ?? [])).toHaveLength(1);
    expect(told.at(-1)).toMatchObject({ rests: true, own: undefined });
    expect(rows.see(of(0, 'lid', 'name 60'), 1 + NAME_REST_MS).news).toMatchObject([{ changed: { push: 'name 60' } }]);
  });

  it('keep the earlier beginning, and the names that only the number had', () => {
    const rows = new Rows();
    rows.see({ ...of(0, 'number', 'Ada'), saved: 'Ada Lovelace' }, 5);
    rows.see(of(0, 'lid'), 7);
    rows.see(of(0, 'both'), 9);

    expect(rows.shown).toMatchObject([{ id: '220@lid', push: 'Ada', saved: 'Ada Lovelace', firstSeenAtMs: 5 }]);
  });
});

describe('the country of a phone number', () => {
  it.each([
    ['+4915123456789', 'DE'],
    ['+5511987654321', 'BR'],
    ['+525512345678', 'MX'],
    ['+5491123456789', 'AR'],
    ['+351912345678', 'PT'],
    ['+9725012345678', 'IL'],
    ['+15551234567', undefined],
    ['+79161234567', undefined],
    ['+447700900123', undefined],
    ['+212612345678', undefined],
  ])('of %s is %s, where its code has one alone', (number, country) => {
    expect(countryOf(number)).toBe(country);
  });
});
