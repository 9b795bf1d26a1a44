import { beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { CloseMatrix } from './closeMatrix.ts';
import { rows, swift } from './closeMatrixRows.ts';
import { SCALE, SPACING_MS, type Outcome } from './matrixTrial.ts';

silenceConsole();

/**
 * The time from the close of a socket to its judgement: a few turns of a busy process, and a read of the owner for 440.
 */
const JUDGED_WITHIN_MS = 150;

describe('what becomes of a connection when its socket closes', () => {
  let outcomes: ReadonlyMap<string, Outcome>;
  beforeAll(async () => {
    outcomes = await CloseMatrix.run([...rows, ...swift]);
  });
  const outcomeOf = (name: string): Outcome => {
    const outcome = outcomes.get(name);
    if (outcome === undefined) throw new Error(`${name} did not happen`);
    return outcome;
  };

  it.each(rows)('$name', ({ name, delays, expected }) => {
    const { delaysMs, awayMs, ...seen } = outcomeOf(name);

    expect(seen).toEqual(expected);
    const late = delaysMs.map((delayMs, index) => Math.round(delayMs - (delays[index] ?? 0) * SCALE));
    expect(awayMs ?? Infinity).toBeGreaterThanOrEqual(delaysMs[0] ?? 0);
    expect(late.map((ms) => (ms >= 0 && ms < JUDGED_WITHIN_MS ? 'in time' : ms))).toEqual(delays.map(() => 'in time'));
  });

  it.each(swift)('$name', ({ name, mayBeTold, expected }) => {
    const { delaysMs: _, awayMs, events, ...seen } = outcomeOf(name);

    expect({ ...seen, events: expected.events }).toEqual(expected);
    // Sooner than any other rule allows.
    expect(awayMs ?? 0).toBeLessThan(SPACING_MS);
    const told = events.filter((event) => !mayBeTold.includes(event));
    // A status that tenants know already is not told again.
    expect(told.length > 0 || events.length > 0 ? told : expected.events).toEqual(expected.events);
  });
});
