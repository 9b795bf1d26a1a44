import { describe, expect, it } from 'vitest';
import { judgeFleet, medianOf, tableOf, type FleetFigures } from './fleetFigures.ts';

const FIGURES: FleetFigures = {
  connections: 1_000,
  openSeconds: 9,
  openCpuMs: 8,
  openLoopP99Ms: 20,
  openLoopMaxMs: 40,
  idleKb: 90,
  idleRssKb: 340,
  idleCpuPercent: 3,
  firstSendsPerSecond: 100,
  firstSendCpuMs: 9,
  sendsPerSecond: 400,
  sendCpuMs: 2,
  receivedPerSecond: 800,
  receiveCpuMs: 1.2,
  receiveLoopP99Ms: 30,
  trafficKb: 120,
  trafficRssKb: 450,
  burstPerSecond: 150,
  burstLoopP99Ms: 60,
  burstLoopMaxMs: 90,
  serverCpuPercent: 30,
  baseRssMb: 140,
};

const missed = (ours: Partial<FleetFigures>, plain: Partial<FleetFigures> = {}): readonly string[] =>
  judgeFleet({ ...FIGURES, ...ours }, { ...FIGURES, idleKb: 180, ...plain })
    .filter(({ holds, isMeant }) => isMeant && !holds)
    .map(({ goal }) => goal.split(',')[0] ?? '');

describe('figures of the fleet bench', () => {
  it.each<readonly [what: string, ours: Partial<FleetFigures>, plain: Partial<FleetFigures>, goal: string]>([
    ['memory', { idleKb: 109 }, { idleKb: 180 }, 'idle heap + external per connection'],
    ['resident memory', { idleRssKb: 360 }, {}, 'idle RSS per connection'],
    ['time to open', { openSeconds: 12.1 }, {}, 'seconds to open 1000: at most'],
    ['receive rate', { receivedPerSecond: 690 }, { receivedPerSecond: 1_000 }, 'received per second'],
    ['a burst', { burstLoopP99Ms: 101 }, {}, 'event-loop p99 in a burst for one connection'],
  ])('misses the goal of %s when it is not reached', (_what, ours, plain, goal) => {
    const goals = missed(ours, plain);

    expect(goals).toEqual([goal]);
  });

  it('holds all goals at their bounds', () => {
    const goals = missed({ idleKb: 108, openSeconds: 12, receivedPerSecond: 700 }, { receivedPerSecond: 1_000 });

    expect(goals).toEqual([]);
  });

  it('does not judge few connections by goals that are for a thousand', () => {
    const goals = missed({ connections: 50, idleRssKb: 4_000, openSeconds: 13 });

    expect(goals).toEqual([]);
  });

  it('takes the middle of each figure by itself', () => {
    const rounds = [1, 9, 5].map((openSeconds, at) => ({ ...FIGURES, openSeconds, idleKb: 100 - at }));

    const median = medianOf(rounds);

    expect([median.openSeconds, median.idleKb]).toEqual([5, 99]);
  });

  it('shows every figure of both sides', () => {
    const lines = tableOf([
      ['ours', FIGURES],
      ['plain', FIGURES],
    ]);

    expect(lines).toHaveLength(Object.keys(FIGURES).length + 1);
    expect(lines.find((line) => line.startsWith('messages received'))).toMatch(/ 800 +800$/);
  });
});
