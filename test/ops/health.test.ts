import { describe, expect, it } from 'vitest';
import { healthLines, judgeHealth } from '../../ops/health.ts';
import { scaleLines } from '../../ops/scale.ts';
import { statusLines } from '../../ops/status.ts';
import { aConnectionHealth, aFleet, aState, aWorker } from './states.ts';

const verdictsOf = (state: Parameters<typeof judgeHealth>[0]): readonly string[] =>
  judgeHealth(state)
    .filter(({ verdict }) => verdict !== 'good')
    .map(({ verdict, sentence }) => `${verdict}: ${sentence}`);

describe('health', () => {
  it('finds nothing in a fleet that is well', () => {
    expect(verdictsOf(aState())).toEqual([]);
    expect(judgeHealth(aState())).toHaveLength(10);
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

  it('names dead letters as something to look at', () => {
    const queues = [{ kind: 'events', queues: 1, waiting: 0, inFlight: 0, dead: 3 }] as const;

    expect(verdictsOf(aState({ queues }))).toEqual(['look: Dead letters: 3 events. See ops redrive.']);
  });

  it('names each connection that does not do its work, with the reason and until when its sends are paused', () => {
    const connections = [
      aConnectionHealth({
        attention: 'bad',
        reason: 'WhatsApp did not answer five sends in a row. 1001 accepted messages wait, for up to 5 min.',
        parkedMessages: 1_001,
        sendsPaused: { sentence: 'WhatsApp did not answer.', until: '2026-01-01T12:01:30.000Z' },
      }),
      aConnectionHealth({
        id: 'con_2',
        attention: 'look',
        reason: 'WhatsApp has banned this account.',
        status: 'failed',
      }),
      aConnectionHealth({ id: 'con_3' }),
    ];

    expect(verdictsOf(aState({ connections }))).toEqual([
      'bad: Shop of Acme (con_1): online. WhatsApp did not answer five sends in a row. 1001 accepted messages wait, for up to 5 min. The next try is at 12:01:30 UTC.',
      'look: Shop of Acme (con_2): failed. WhatsApp has banned this account.',
    ]);
  });

  it.each([
    [0, 'There is no connection yet.'],
    [1, 'The only connection does its work.'],
    [2, 'All 2 connections do their work.'],
  ])('says of %i good connections what people say of so many', (count, sentence) => {
    const connections = Array.from({ length: count }, (_, index) => aConnectionHealth({ id: `con_${index}` }));

    expect(judgeHealth(aState({ connections }))).toContainEqual({ verdict: 'good', sentence });
  });

  it('names ten of many and counts the rest, as bad as the worst of them', () => {
    const connections = Array.from({ length: 25 }, (_, index) =>
      aConnectionHealth({ id: `con_${index}`, attention: 'bad', reason: 'Sends are stalled.' }),
    );

    const found = verdictsOf(aState({ connections }));

    expect(found).toHaveLength(11);
    expect(found.at(-1)).toBe('bad: And 15 more connections; /ops lists all of them.');
  });

  it.each([
    [
      { lagMs: 96_000, late: true },
      0,
      [
        'bad: Events lay in their queue for 96 s before they were stored, 5 s ago: customers hear late of what happens.',
      ],
    ],
    [{ lagMs: 96_000, late: false }, 0, []],
    [undefined, 7, ['bad: Events wait in their queue (7), and none was stored for an hour.']],
    [
      { lagMs: 1, late: false, measuredAt: '2026-01-01T11:50:00.000Z' },
      7,
      ['bad: Events wait in their queue (7), and none was stored for 10 min.'],
    ],
    [{ lagMs: 1, late: false }, 7, []],
  ])('judges how far events are behind: %j with %i waiting', (lag, waiting, expected) => {
    const events = lag === undefined ? undefined : { measuredAt: '2026-01-01T11:59:55.000Z', ...lag };
    const queues = [{ kind: 'events', queues: 1, waiting, inFlight: 0, dead: 0 }] as const;

    expect(verdictsOf(aState({ events, queues }))).toEqual(expected);
  });

  it('says worst first, and what it did not read', () => {
    const lines = healthLines(aState({ fleet: aFleet({ unowned: 2 }), queues: undefined }));

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

    const text = statusLines(aState({ fleet: aFleet({ workers }), queues: undefined })).join('\n');

    expect(text).toMatch(/^wrk_1 +ALIVE, to drain +1 +- +2 +10 +9 +1 +60 min ago +3 s ago$/m);
    expect(text).toMatch(/^wrk_2 +ALIVE +1 +a /m);
    expect(text).not.toMatch(/^wrk_0/m);
    expect(text).toContain('and 1 that died within the last hour');
    expect(text).toContain('not read, because no --stage is named');
  });
});

describe('status, of connections', () => {
  it('lists those that need somebody, and no others', () => {
    const connections = [
      aConnectionHealth({
        attention: 'bad',
        parkedMessages: 3,
        oldestParkedAt: '2026-01-01T11:55:00.000Z',
        sendsPaused: { sentence: 'x', until: '2026-01-01T12:01:30.000Z' },
      }),
      aConnectionHealth({ id: 'con_2' }),
    ];

    const text = statusLines(aState({ connections })).join('\n');

    expect(text).toMatch(/^con_1 +Shop +Acme +online +3 +5 min +12:01:30 UTC$/m);
    expect(text).not.toContain('con_2');
    expect(text).toContain('2 connections wanted online: 2 online');
    expect(text).toContain('events lay in their queue for 0 s, 5 s ago');
  });
});

describe('the state of a worker', () => {
  it.each([
    ['is its own while nothing is the matter', {}, 'ALIVE'],
    ['says when it has no room', { full: true }, 'ALIVE, full'],
    ['says when it asks to be recycled, and why', { recycle: 'age', full: true }, 'ALIVE, to be replaced (age)'],
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
    expect(lines(2, 3_000)).toContain('start 2 workers more');
    expect(lines(2, 3_000)).toContain('add 71 shards');
  });

  it('says what is more than needed, and what cannot help', () => {
    expect(lines(6)).toContain('4 workers could be drained');
    expect(lines(6)).toContain('2 workers can own nothing');
    expect(lines(2)).not.toMatch(/drained|more|nothing/);
  });
});
