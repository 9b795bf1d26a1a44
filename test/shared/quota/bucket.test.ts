import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdsAtMs, sliceOf, tokenMs, tokensIn, trustedOf, type Rate } from '../../../shared/quota/bucket.ts';
import { quotaNames, quotaRows, type QuotaRow } from '../../../shared/platform/quotaRows.ts';

const rates = quotaNames.map((name): QuotaRow => quotaRows[name]).filter((row) => row.kind === 'rate');
const rate: Rate = { most: 1_000, windowMs: 10_000 };

describe('a bucket of tokens', () => {
  it('is full where there is no row, and a token comes back in its time', () => {
    expect(tokensIn(rate, undefined, 5_000)).toBe(1_000);
    expect(tokensIn(rate, 5_000, 5_000)).toBe(1_000);
    expect(tokensIn(rate, 15_000, 5_000)).toBe(0);
    expect(tokensIn(rate, 15_000, 5_010)).toBe(1);
    expect(holdsAtMs(rate, 15_000, 1)).toBe(5_010);
    expect(holdsAtMs(rate, 15_000, 1_000)).toBe(15_000);
  });

  it('holds what is asked for when it says that it does, and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 10_000 }), (tokens, missingMs) => {
        const fullAtMs = 1_000_000 + missingMs;
        const atMs = holdsAtMs(rate, fullAtMs, tokens);

        expect(tokensIn(rate, fullAtMs, atMs)).toBeGreaterThanOrEqual(tokens);
        expect(tokensIn(rate, fullAtMs, atMs - 2 * tokenMs(rate))).toBeLessThan(Math.max(tokens, 1));
      }),
    );
  });
});

describe('a slice', () => {
  it('is what is used in half of its time, within a part of the bucket', () => {
    expect(sliceOf(rate, 0, 1_000)).toBe(10);
    expect(sliceOf(rate, 0.005, 1_000)).toBe(25);
    expect(sliceOf(rate, 1, 1_000)).toBe(50);
  });

  it('is as small as the use where tokens are scarce', () => {
    expect(sliceOf(rate, 0, 100)).toBe(1);
    expect(sliceOf(rate, 0.02, 100)).toBe(10);
    expect(sliceOf(rate, 5, 100)).toBe(100);
  });

  it('never is more than a tenth of the bucket, and is never empty', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rates),
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ usual, windowSeconds }, perMs, share) => {
          const one = { most: usual, windowMs: windowSeconds * 1_000 };
          const tokens = sliceOf(one, perMs, usual * share);

          expect(tokens).toBeGreaterThanOrEqual(1);
          expect(tokens).toBeLessThanOrEqual(Math.max(1, Math.ceil(usual / 10)));
        },
      ),
    );
  });

  it('is not needed for a five-hundredth, so that who asks now and then costs no write', () => {
    expect(trustedOf(rate)).toBe(2);
    expect(trustedOf({ most: 60, windowMs: 3_600_000 })).toBe(0);
  });
});
