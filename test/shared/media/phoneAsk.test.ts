import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Media } from '../../../shared/media/media.ts';
import { askPausesMs, decideAsk, type AskDecision } from '../../../shared/media/phoneAsk.ts';

type Asked = Pick<Media, 'file' | 'shard' | 'asked' | 'answer'>;

const FILE = { use: 'image', key: 'AAAA', path: '/v/1' } as const;
const NOW_MS = 1_790_000_000_000;
const [FIRST_PAUSE_MS = 0, SECOND_PAUSE_MS = 0] = askPausesMs;
const ALL = askPausesMs.length;
const longAgo = (times: number) => ({ times, atMs: NOW_MS - 100 * 3_600_000 });
const ask = (pauseMs: number): AskDecision => ({ decision: 'ask', pauseMs });
const end = (fault: 'gone' | 'phone_offline'): AskDecision => ({ decision: 'end', fault });

describe('a file that WhatsApp no longer has', () => {
  it.each<[why: string, given: Partial<Asked>, expected: AskDecision]>([
    ['the phone was not asked', {}, ask(FIRST_PAUSE_MS)],
    ['the pause is over', { asked: { times: 1, atMs: NOW_MS - FIRST_PAUSE_MS } }, ask(SECOND_PAUSE_MS)],
    [
      'the pause is not over',
      { asked: { times: 1, atMs: NOW_MS - FIRST_PAUSE_MS + 1 } },
      { decision: 'wait', pauseMs: 1 },
    ],
    ['the phone does not have it', { asked: { times: 1, atMs: NOW_MS }, answer: 'absent' }, end('gone')],
    ['the phone could not give it', { asked: longAgo(1), answer: 'failed' }, ask(SECOND_PAUSE_MS)],
    ['what the phone gave is gone, too', { asked: longAgo(1), answer: 'given' }, ask(SECOND_PAUSE_MS)],
    ['the phone never answered', { asked: longAgo(ALL) }, end('phone_offline')],
    ['the phone never could', { asked: longAgo(ALL), answer: 'failed' }, end('gone')],
    ['it was never sealed, as in a channel', { file: { ...FILE, key: undefined } }, end('gone')],
    ['its row says no shard', { shard: undefined }, end('gone')],
  ])('where %s', (_why, given, expected) => {
    expect(decideAsk({ file: FILE, shard: 3, ...given }, NOW_MS)).toEqual(expected);
  });

  it('is asked for a bounded number of times, never within a pause, and ends, however often it is looked at', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 * 3_600_000 }), { minLength: 1, maxLength: 200 }), (steps) => {
        const asks: number[] = [];
        let asked: Asked['asked'];
        let nowMs = NOW_MS;
        for (const step of [...steps, ...askPausesMs.map((pause) => pause), ...askPausesMs]) {
          const decided = decideAsk({ file: FILE, shard: 0, asked }, nowMs);
          if (decided.decision === 'ask') {
            asked = { times: asks.length + 1, atMs: nowMs };
            asks.push(nowMs);
          }
          nowMs += step;
        }

        expect(asks.length).toBeLessThanOrEqual(ALL);
        expect(asks.slice(1).every((atMs, index) => atMs - (asks[index] ?? 0) >= (askPausesMs[index] ?? 0))).toBe(true);
        const last = decideAsk({ file: FILE, shard: 0, asked: longAgo(ALL) }, nowMs);
        expect(last).toEqual(end('phone_offline'));
      }),
    );
  });
});
