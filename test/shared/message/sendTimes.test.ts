import { describe, expect, it } from 'vitest';
import { LONGEST_AHEAD_MS, problemsOfTimes, timeSchema } from '../../../shared/message/sendTimes.ts';

const NOW_MS = Date.UTC(2026, 10, 29, 12);
const MINUTE_MS = 60_000;

describe('the times of a message', () => {
  it.each([
    ['ISO 8601 in UTC', '2026-11-29T12:00:00Z'],
    ['ISO 8601 with an offset', '2026-11-29T13:00:00+01:00'],
    ['seconds since 1970', NOW_MS / 1_000],
  ])('are read from %s', (_, given) => {
    expect(timeSchema.parse(given)).toBe(NOW_MS);
  });

  it.each([
    ['milliseconds since 1970', NOW_MS],
    ['a local time', '2026-11-29T12:00:00'],
    ['a day', '2026-11-29'],
    ['a fraction of a second', NOW_MS / 1_000 + 0.5],
    ['digits in a text', `${NOW_MS / 1_000}`],
    ['nothing', null],
  ])('are not read from %s', (_, given) => {
    expect(timeSchema.safeParse(given).success).toBe(false);
  });

  it.each([
    ['none', undefined, undefined, []],
    ['a time to come', 1, undefined, []],
    ['an end to come', undefined, 1, []],
    ['both, in their order', MINUTE_MS, 2 * MINUTE_MS, []],
    ['now', 0, undefined, ['not_before: must be in the future']],
    ['the past', -1, undefined, ['not_before: must be in the future']],
    ['an end in the past', undefined, -1, ['expires_at: must be in the future']],
    ['the last time that is taken', LONGEST_AHEAD_MS, undefined, []],
    ['too far', LONGEST_AHEAD_MS + 1, undefined, ['not_before: must be at most a year ahead']],
    ['an end that is too far', undefined, LONGEST_AHEAD_MS + 1, ['expires_at: must be at most a year ahead']],
    ['an end with the beginning', MINUTE_MS, MINUTE_MS, ['expires_at: must be after not_before']],
    ['an end before the beginning', 2 * MINUTE_MS, MINUTE_MS, ['expires_at: must be after not_before']],
    ['both wrong', -1, -2, ['not_before: must be in the future', 'expires_at: must be in the future']],
  ])('are judged: %s', (_, notBefore, expiresAt, wanted) => {
    const at = (ms: number | undefined) => (ms === undefined ? undefined : NOW_MS + ms);

    const problems = problemsOfTimes({ notBeforeMs: at(notBefore), expiresAtMs: at(expiresAt) }, NOW_MS);

    expect(problems.map(({ field, problem }) => `${field}: ${problem}`)).toEqual(wanted);
  });
});
