import { describe, expect, it } from 'vitest';
import { healthLines, judgeHealth } from '../../ops/health.ts';
import { scaleLines } from '../../ops/scale.ts';
import { statusLines } from '../../ops/status.ts';
import { aFleet, aState, aWorker } from './states.ts';

const verdictsOf = (state: Parameters<typeof judgeHealth>[0]): readonly string[] =>
  judgeHealth(state)
    .filter(({ verdict }) => verdict !== 'good')
    .map(({ verdict, sentence }) => `${verdict}: ${sentence}`);

describe('health', () => {
  it('finds nothing in a fleet that is well', () => {
    expect(verdictsOf(aState())).toEqual([]);
    expect(judgeHealth(aState())).toHaveLength(9);
  });

  it.each([
    ['no worker', { workers: [] }, ['bad: No worker can take connections.', 'bad: The fleet has no living leader.']],
    ['one worker', { workers: [aWorker('wrk_1')] }, ['look: One worker runs alone: nobody could take over from it.']],
    [
      'a suspended worker',
      { workers: [aWorker('wrk_1'), aWorker('wrk_2'), aWorker('wrk_3', { suspended: true })] },
      ['bad: Without a heartbeat for more than 15 s: wrk_3.'],
    ],
    [
      'a dead leader',
      { workers: [aWorker('wrk_1', { state: 'DEAD' }), aWorker('wrk_2'), aWorker('wrk_3')] },
      ['bad: The fleet has no living leader.'],
    ],
    [
      'a worker that is full',
      {
        workers: [aWorker('wrk_1'), aWorker('wrk_2', { full: true }), aWorker('wrk_3', { state: 'DEAD', full: true })],
      },
      ['look: Take no more shards, as memory is short or the event loop late: wrk_2. See ops scale.'],
    ],
    ['orphans', { unowned: 1 }, ['bad: Without an owner: 1 of 4 shards.']],
    [
      'the brake',
      { brake: true },
      ['bad: The brake is on: so many workers look dead at once that none is declared dead.'],
    ],
    ['an outage', { mode: 'outage' }, ['bad: WhatsApp refuses nearly all logins, so only a few are tried.']],
  ] as const)('names %s', (_, fleet, expected) => {
    expect(verdictsOf(aState({ fleet: aFleet(fleet) }))).toEqual(expected);
  });

  it('names dead letters and failed connections as something to look at', () => {
    const stores = {
      queues: [{ kind: 'events', queues: 1, waiting: 0, inFlight: 0, dead: 3 }],
      connections: new Map([['failed' as const, 2]]),
    } as const;

    expect(verdictsOf(aState({ stores }))).toEqual([
      'look: Connections: 2 failed.',
      'look: Dead letters: 3 events. See ops redrive.',
    ]);
  });

  it('says worst first, and what it did not read', () => {
    const lines = healthLines(aState({ fleet: aFleet({ unowned: 2 }), stores: undefined }));

    expect(lines[0]).toBe('bad   Without an owner: 2 of 4 shards.');
    expect(lines.at(-1)).toContain('were not read');
  });
});

describe('status', () => {
  it('shows living workers, counts dead ones, and says what it did not read', () => {
    const workers = [
      aWorker('wrk_1', { drainRequested: true }),
      aWorker('wrk_2', { zone: 'a' }),
      aWorker('wrk_0', { state: 'DEAD' }),
    ];

    const text = statusLines(aState({ fleet: aFleet({ workers }), stores: undefined })).join('\n');

    expect(text).toMatch(/^wrk_1 +ALIVE, to drain +1 +- +2 +10 +9 +1 +60 min ago +3 s ago$/m);
    expect(text).toMatch(/^wrk_2 +ALIVE +1 +a /m);
    expect(text).not.toMatch(/^wrk_0/m);
    expect(text).toContain('and 1 that died within the last hour');
    expect(text).toContain('not read, because no --stage is named');
  });
});

describe('the state of a worker', () => {
  it.each([
    ['is its own while nothing is the matter', {}, 'ALIVE'],
    ['says when it has no room', { full: true }, 'ALIVE, full'],
    ['says when it wishes to be replaced, and why', { recycle: 'age', full: true }, 'ALIVE, to be replaced (age)'],
    ['says when it was asked to drain', { drainRequested: true, recycle: 'memory' }, 'ALIVE, to drain'],
    ['is that it drains, once it does', { state: 'DRAINING', drainRequested: true, recycle: 'age' }, 'DRAINING'],
    ['is above all that it is suspended', { suspended: true, full: true }, 'ALIVE, suspended'],
  ] as const)('%s', (_, worker, expected) => {
    const lines = statusLines(aState({ fleet: aFleet({ workers: [aWorker('wrk_1', worker)] }) }));

    expect(lines.find((line) => line.startsWith('wrk_1'))?.split(/ {2,}/)[1]).toBe(expected);
  });
});

describe('scale', () => {
  const lines = (count: number, wanted?: number): string =>
    scaleLines(aFleet({ workers: Array.from({ length: count }, (_, index) => aWorker(`wrk_${index}`)) }), wanted).join(
      '\n',
    );

  it('says what is missing for so many connections', () => {
    expect(lines(2, 3_000)).toContain('start 1 worker more');
    expect(lines(2, 3_000)).toContain('add 71 shards');
  });

  it('says what is more than needed, and what cannot help', () => {
    expect(lines(6)).toContain('4 workers could be drained');
    expect(lines(6)).toContain('2 workers can own nothing');
    expect(lines(2)).not.toMatch(/drained|more|nothing/);
  });
});
