import { describe, expect, it } from 'vitest';
import { functionsProcesses } from '../../../infra/local/functionsProcesses.ts';
import { endsTooOften } from '../../../infra/local/restartLimit.ts';

describe('the number of processes of functions', () => {
  it.each([
    [1, 'linux', 1],
    [2, 'linux', 1],
    [4, 'linux', 1],
    [8, 'linux', 2],
    [64, 'linux', 4],
    [64, 'darwin', 1],
  ])('with %i cores on %s is %i', (cores, platform, count) => {
    expect(functionsProcesses(cores, platform)).toBe(count);
  });
});

describe('the limit of restarts', () => {
  it('is three within a minute', () => {
    expect(endsTooOften([0, 10_000, 20_000], 20_000)).toBe(false);
    expect(endsTooOften([0, 10_000, 20_000, 30_000], 30_000)).toBe(true);
    expect(endsTooOften([0, 30_000, 60_000, 90_000], 90_000)).toBe(false);
  });
});
