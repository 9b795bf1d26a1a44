import { afterAll, describe, expect, it } from 'vitest';
import { TalkingChild } from '../bench/childTalk.ts';
import type { ReconnectCyclesAnswers } from './reconnectCycles.ts';

/** Until what is compiled and cached once is there. */
const WARM_UP = 20;
const CYCLES = 60;
/** A closed socket that stays reachable holds more than twice that. Over a thousand cycles `npm run soak` allows less. */
const MOST_BYTES_PER_CYCLE = 32 * 1_024;
const DEADLINE_MS = 600_000;

const child = TalkingChild.start<ReconnectCyclesAnswers>(new URL('./reconnectCycles.ts', import.meta.url), {
  node: ['--expose-gc'],
});

describe('a connection that is opened and closed again and again', () => {
  afterAll(() => child.stop());

  it(
    'leaves no socket, session, timer, listener or memory behind',
    async () => {
      const { before, after } = await child.ask('run', { warmUp: WARM_UP, cycles: CYCLES });

      const { sockets, sessions } = after;
      expect({ sockets, sessions }).toEqual({ sockets: 0, sessions: 0 });
      expect(after.timers).toBeLessThanOrEqual(before.timers);
      expect(after.handles).toBeLessThanOrEqual(before.handles);
      expect(after.listeners).toBe(before.listeners);
      expect((after.bytes - before.bytes) / CYCLES).toBeLessThan(MOST_BYTES_PER_CYCLE);
    },
    DEADLINE_MS,
  );
});
