import { describe, expect, it } from 'vitest';
import { allPoints, kindOf, mergeCalls, portOf, replayCommand, samplePoints } from './points.ts';
import { moments } from './portWatch.ts';

const recordings = new Map([
  [
    'receive',
    ['store Put SIGNAL#1', 'queue SendMessageBatch events#1', 'store Put SIGNAL#2', 'socket write receipt#1'],
  ],
  ['send', ['store Put SIGNAL#1', 'socket write message#1', 'socket write message#2']],
]);

describe('points', () => {
  it('are before and after every call', () => {
    const points = allPoints('send', ['a#1', 'b#1']);

    expect(points.map(({ plan }) => `${plan.when} ${plan.call}`)).toEqual([
      'before a#1',
      'after a#1',
      'before b#1',
      'after b#1',
    ]);
  });

  it('of two recordings are those of both, each once', () => {
    expect(
      mergeCalls([
        ['a#1', 'b#1'],
        ['b#1', 'b#2'],
      ]),
    ).toEqual(['a#1', 'b#1', 'b#2']);
  });

  it('of a sample tell apart what is written, and not what is read', () => {
    expect(kindOf('store Put SIGNAL#7')).toBe('store Put SIGNAL');
    expect(kindOf('store BatchGet LIDS+SIGNAL#1')).toBe('store BatchGet');
    expect(kindOf('socket write iq encrypt set#3')).toBe('socket write iq');
  });

  it('in a sample hold each kind of call once before and once after, and only recorded calls', () => {
    const sample = samplePoints(recordings);

    const kinds = new Set([...recordings.values()].flat().map(kindOf));
    const wanted = [...kinds].flatMap((name) => moments.map((when) => `${when} ${name}`));
    expect(sample.map(({ plan }) => `${plan.when} ${kindOf(plan.call)}`).sort()).toEqual(wanted.sort());
    expect(sample.every(({ scenario, plan }) => recordings.get(scenario)?.includes(plan.call))).toBe(true);
  });

  it('in a sample are spread over the scenarios', () => {
    const sample = samplePoints(recordings);

    expect(sample.filter(({ scenario }) => scenario === 'send')).toHaveLength(4);
  });

  it('are counted by port and can be played again', () => {
    expect(portOf('socket write iq encrypt set#3')).toBe('socket write');
    expect(replayCommand({ scenario: 'send', plan: { call: 'store Put SIGNAL#2', when: 'after' } })).toBe(
      "npm run crash -- --scenario send --call 'store Put SIGNAL#2' --when after",
    );
  });
});
