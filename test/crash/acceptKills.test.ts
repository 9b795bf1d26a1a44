import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AcceptKills, pointsOf, problemsOf, type Accepting } from './acceptKills.ts';
import { moments } from './portWatch.ts';

/** A busy machine starts a process within seconds. */
const ALL_MS = 60_000;

describe('a process of the functions that is killed while it accepts', () => {
  let kills: AcceptKills;
  beforeAll(async () => {
    kills = await AcceptKills.start();
  }, ALL_MS);
  afterAll(() => kills.stop());

  it(
    'around the row and around the queue: the message is sent once, or ended as one that never was in the queue',
    async () => {
      const how: Accepting = { key: undefined, isNoted: false };
      const { row, queue } = pointsOf(await kills.recordAccept(how));
      const states: (string | undefined)[] = [];
      const problems: string[] = [];
      for (const call of [row, queue]) {
        for (const when of moments) {
          const outcome = await kills.playAccept(how, { call, when });
          problems.push(...problemsOf(outcome, how));
          states.push(outcome.states[0]);
        }
      }

      expect(problems).toEqual([]);
      expect(states).toEqual([undefined, 'failed/not_enqueued', 'failed/not_enqueued', 'sent']);
    },
    ALL_MS,
  );

  it(
    'and the caller asks again with its key: every answer names one message, which is sent once',
    async () => {
      const how: Accepting = { key: 'order-1', isNoted: false };
      const { row, queue } = pointsOf(await kills.recordAccept(how));
      const problems: string[] = [];
      for (const call of [row, queue]) {
        for (const when of moments) {
          problems.push(...problemsOf(await kills.playAccept(how, { call, when }), how));
        }
      }

      expect(problems).toEqual([]);
    },
    ALL_MS,
  );
});
