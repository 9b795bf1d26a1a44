import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCursor, startOf, toCursor, type ReaderPlace } from '../../../shared/event/eventCursor.ts';
import { eraAfter, lanesIn, largerThan } from '../../../shared/event/eventLanes.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { eventIdOf } from './loggedEvents.ts';

const tenantId = makeId('tnt', 0, systemRandom);
const otherTenant = makeId('tnt', 0, systemRandom);

const aPlace: fc.Arbitrary<ReaderPlace> = fc.nat(20).chain((generation) => {
  const count = lanesIn(generation);
  const lane = fc.record({ page: fc.nat(32 ** 9), taken: fc.nat(1_000) });
  const lanes = fc.array(lane, { minLength: count, maxLength: count });
  return fc.record({ generation: fc.constant(generation), turn: fc.nat(count - 1), lanes });
});
const refusal = (text: string): AppError | undefined => {
  try {
    parseCursor(tenantId, text);
    return undefined;
  } catch (error) {
    return error as AppError;
  }
};

describe('the cursor of the event log', () => {
  it('says the place that it was made of, in a text that fits into an address', () => {
    fc.assert(
      fc.property(aPlace, (place) => {
        const text = toCursor(tenantId, place);

        expect(parseCursor(tenantId, text)).toEqual(place);
        expect(text).toMatch(/^[\w-]{10,1600}$/);
      }),
    );
  });

  it('is short for a log with one lane', () => {
    expect(toCursor(tenantId, { generation: 0, turn: 0, lanes: [{ page: 1_000_000, taken: 0 }] })).toHaveLength(15);
  });

  it('is refused when it was given to another tenant', () => {
    fc.assert(
      fc.property(aPlace, (place) => {
        expect(refusal(toCursor(otherTenant, place))?.code).toBe('invalid_cursor');
      }),
    );
  });

  it('is refused with one character changed, left out or added, whatever it is', () => {
    fc.assert(
      fc.property(aPlace, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (place, at, character) => {
        const text = toCursor(tenantId, place);
        const [before, after] = [text.slice(0, at % text.length), text.slice((at % text.length) + 1)];
        const changed = [`${before}${after}`, `${before}${character}${text.slice(at % text.length)}`];
        const replaced = `${before}${character}${after}`;
        for (const other of replaced === text ? changed : [...changed, replaced]) {
          expect(refusal(other)).toBeInstanceOf(AppError);
        }
      }),
    );
  });

  it('is refused for any other text, and never a surprise', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 3_000, unit: 'binary' }), (text) => {
        expect(refusal(text)?.code).toBe('invalid_cursor');
      }),
    );
  });

  it('is no event id, and the refusal says what to use', () => {
    expect(refusal(eventIdOf(1))?.detail).toMatch(/^An event id is no cursor.*Use `next` of the page/);
  });
});

describe('generations', () => {
  it('have twice as many lanes each, to 64', () => {
    const generations = [0];
    for (let next = largerThan(0); next !== undefined; next = largerThan(next)) generations.push(next);

    expect(generations.map(lanesIn)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(startOf(6).lanes).toHaveLength(64);
  });

  it('keep their lanes into a new era, and lend it none of their numbers', () => {
    fc.assert(
      fc.property(fc.nat(900), (generation) => {
        const era = eraAfter(generation);

        expect(lanesIn(era)).toBe(lanesIn(generation));
        for (let next = largerThan(generation); next !== undefined; next = largerThan(next)) {
          expect(next).not.toBe(era);
        }
      }),
    );
  });
});
