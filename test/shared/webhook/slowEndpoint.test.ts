import { describe, expect, it } from 'vitest';
import { isNewlySlow, isSlow, slowRule } from '../../../shared/webhook/slowEndpoint.ts';

const NOW_MS = 1_000_000;
const CLOSED = { failures: 0, openUntilMs: undefined };

describe('an endpoint', () => {
  it.each([
    { name: 'which never took long', slowUntilMs: undefined, breaker: CLOSED, is: false },
    { name: 'which never took long and fails', slowUntilMs: undefined, breaker: { ...CLOSED, failures: 3 }, is: false },
    { name: 'which took long', slowUntilMs: NOW_MS + 1, breaker: CLOSED, is: true },
    { name: 'which took long before that', slowUntilMs: NOW_MS, breaker: CLOSED, is: false },
    { name: 'which took long before that, and fails', slowUntilMs: 1, breaker: { ...CLOSED, failures: 1 }, is: true },
    {
      name: 'which took long before that, with a breaker whose trial is due',
      slowUntilMs: 1,
      breaker: { failures: 5, openUntilMs: NOW_MS - 1 },
      is: true,
    },
  ])('$name: is slow $is', ({ slowUntilMs, breaker, is }) => {
    expect(isSlow({ slowUntilMs, breaker }, NOW_MS)).toBe(is);
  });

  it.each([
    { name: 'of which it is not noted', slowUntilMs: undefined, is: true },
    { name: 'of which it was noted just now', slowUntilMs: NOW_MS + slowRule.forMs, is: false },
    { name: 'of which it was noted half a minute ago', slowUntilMs: NOW_MS + slowRule.forMs / 2 - 1, is: true },
  ])('$name: is noted anew $is', ({ slowUntilMs, is }) => {
    expect(isNewlySlow({ slowUntilMs }, NOW_MS)).toBe(is);
  });
});
