import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcceptKills } from './acceptKills.ts';

describe('a process of the functions that is killed while it accepts a message with a file', () => {
  let kills: AcceptKills;
  beforeEach(async () => {
    kills = await AcceptKills.start();
  });
  afterEach(() => kills.stop());

  it.each([
    ['a file', undefined, 'known'],
    ['a file with its key', 'order-1', 'known'],
    ['a file whose upload has just ended', undefined, 'just uploaded'],
    ['a file whose upload has just ended, with its key', 'order-1', 'just uploaded'],
  ] as const)('before and after each call, %s: nothing is lost, doubled or left', async (_what, key, file) => {
    const { calls, problems } = await kills.playAll({ key, isNoted: true, file });

    expect(problems).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(2);
  });
});
