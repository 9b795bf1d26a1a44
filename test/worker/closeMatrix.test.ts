import { beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { CloseMatrix } from './closeMatrix.ts';
import { rows, swift } from './closeMatrixRows.ts';
import type { Outcome } from './matrixTrial.ts';

silenceConsole();

/**
 * One of each verdict: it comes back at once, sooner, later or when a ban ends, does not come back with its credentials and
 * without, belongs to somebody else, and is offered again. `closeMatrix.prove.ts` runs all rows, and measures how long each
 * waits; which wait is whose is said by `runner/closeRules.test.ts`.
 */
const PLAYED = [
  '401 at login',
  '402 that ends',
  '409',
  '428, closed',
  '440',
  '503, and again at login',
  '440, not the owner',
  '428, not the owner',
  '401, pairing',
  '500, pairing',
] as const;
const PLAYED_SWIFT = ['515', 'a pairing code that is refused'] as const;

describe('what becomes of a connection when its socket closes, one row of each kind', () => {
  const chosen = rows.filter(({ name }) => PLAYED.some((played) => played === name));
  const chosenSwift = swift.filter(({ name }) => PLAYED_SWIFT.some((played) => played === name));
  let outcomes: ReadonlyMap<string, Outcome>;
  beforeAll(async () => {
    outcomes = await CloseMatrix.run([...chosen, ...chosenSwift]);
  }, 240_000);

  it('finds its rows in the matrix', () => {
    expect([chosen.length, chosenSwift.length]).toEqual([PLAYED.length, PLAYED_SWIFT.length]);
  });

  it.each(chosen)('$name', ({ name, delays, expected }) => {
    const { delaysMs, awayMs: _, ...seen } = outcomes.get(name) ?? { delaysMs: [] };

    expect(seen).toEqual(expected);
    expect(delaysMs).toHaveLength(delays.length);
  });

  it.each(chosenSwift)('$name', ({ name, expected }) => {
    const { delaysMs: _delays, awayMs: _away, events: _events, ...seen } = outcomes.get(name) ?? {};

    expect({ ...seen, events: expected.events }).toEqual(expected);
  });
});
