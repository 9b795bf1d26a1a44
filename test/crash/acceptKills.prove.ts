import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcceptKills, nameOf, plansOf } from './acceptKills.ts';

const ALL_MS = 900_000;

describe('a process of the functions that is killed', () => {
  // Each kill has a connection of its own, and the one shard of a world holds a hundred.
  let kills: AcceptKills;
  beforeEach(async () => {
    kills = await AcceptKills.start();
  }, ALL_MS);
  afterEach(() => kills.stop());

  it.each([
    ['a row with its note', undefined, false],
    ['a row alone', undefined, true],
    ['a row with key and note', 'order-1', false],
    ['a row with its key', 'order-1', true],
  ] as const)(
    'before and after each call of accepting %s: nothing is lost, doubled or left',
    async (_what, key, isNoted) => {
      const { calls, problems } = await kills.playAll({ key, isNoted });

      expect(problems).toEqual([]);
      expect(calls).toBeGreaterThanOrEqual(2);
    },
    ALL_MS,
  );

  it(
    'before and after each call of reconcile: what never was in the queue is ended as such by the next run',
    async () => {
      const calls = await kills.recordReconcile();
      const left: string[] = [];
      for (const plan of plansOf(calls)) {
        const { isDead, sent, states } = await kills.playReconcile(plan);
        if (!isDead || sent.length > 0 || states.join(' ') !== 'failed/not_enqueued') {
          left.push(`${nameOf(plan)}: ${JSON.stringify({ isDead, sent, states })}`);
        }
      }

      expect(left).toEqual([]);
      // The cursor, the four parts of a window, the rows, a command, and the cursor again.
      expect(calls.length).toBeGreaterThanOrEqual(8);
    },
    ALL_MS,
  );
});
