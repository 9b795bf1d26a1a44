import { describe, expect, it } from 'vitest';
import { isStepDue, tidyAfter } from '../../../infra/local/tidyWhenQuiet.ts';

const MB = 1_000_000;

/** Looks at a heap of which each step takes a share back, until no step is due. Returns how many steps were made. */
function stepsUntilTidy(heapMb: number, leastMb: number): number {
  let [heapBytes, tidyBytes, steps] = [heapMb * MB, 0, 0];
  while (isStepDue({ busy: 0, heapBytes }, tidyBytes) && steps < 100) {
    const before = heapBytes;
    heapBytes = Math.max(leastMb * MB, heapBytes * 0.8);
    tidyBytes = tidyAfter(before, heapBytes, tidyBytes);
    steps += 1;
  }
  return steps;
}

describe('giving memory back', () => {
  it('goes on for as long as it brings something, and then stops', () => {
    expect(stepsUntilTidy(100, 40)).toBe(5);
    expect(stepsUntilTidy(40, 40)).toBe(1);
  });

  it.each<readonly [what: string, busy: number, heapMb: number, tidyMb: number, isDue: boolean]>([
    ['waits while there is something to do', 0.5, 100, 40, false],
    ['does nothing about a heap that has hardly grown', 0.01, 44, 40, false],
    ['takes back what a busy time has left', 0.01, 80, 40, true],
  ])('%s', (_what, busy, heapMb, tidyMb, isDue) => {
    expect(isStepDue({ busy, heapBytes: heapMb * MB }, tidyMb * MB)).toBe(isDue);
  });
});
