import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symptomOf, type ConnectionVitals, type Evidence } from '../../../shared/connection/liveness.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { judge, type Recycle, type SupervisionRules } from '../../../worker/runner/supervision.ts';
import { wellEvidence } from '../socket/wellEvidence.ts';
import { owned } from './fakes.ts';

const rules: SupervisionRules = {
  limits: {
    runnerBusyMs: 100_000,
    openingMs: 60_000,
    lastFrameMs: 60_000,
    unhandledMs: 50_000,
    unacknowledgedMs: 60_000,
    lockMs: 60_000,
  },
  probeAfterMs: 30_000,
  mostRecycles: 100,
};
const idOf = (name: string): ConnectionId => `con_${name}` as ConnectionId;
const aConnection = (name: string, evidence?: Partial<Evidence>, runnerBusyMs?: number): ConnectionVitals => ({
  ...owned,
  connectionId: idOf(name),
  runnerBusyMs,
  evidence: { ...wellEvidence, ...evidence },
});
const wells = (count: number): readonly ConnectionVitals[] =>
  Array.from({ length: count }, (_, index) => aConnection(`well${index}`));
const deaf = (name: string): ConnectionVitals => aConnection(name, { oldestUnhandledMs: 55_000 });
const stuck = (name: string): ConnectionVitals => aConnection(name, { oldestUnacknowledgedMs: 65_000 });
const silent = (name: string): ConnectionVitals => aConnection(name, { lastFrameMs: 70_000 });
const without = (name: string): ConnectionVitals => ({ ...aConnection(name), evidence: undefined });
const runnerStuck = (name: string): ConnectionVitals => ({ ...without(name), runnerBusyMs: 101_000 });
const recycled = (name: string, symptom: Recycle['symptom'], times: number): readonly Recycle[] =>
  Array.from({ length: times }, (_, index) => ({ connectionId: idOf(name), symptom, atMs: index }));

describe('what the supervisor does', () => {
  it.each<
    readonly [
      what: string,
      connections: readonly ConnectionVitals[],
      past: readonly Recycle[],
      recycles: readonly string[],
      endsProcess: string | undefined,
    ]
  >([
    ['nothing while all are well', wells(3), [], [], undefined],
    ['nothing without connections', [], [], [], undefined],
    ['replaces the socket that is unwell', [...wells(3), deaf('a')], [], ['a deaf'], undefined],
    ['goes for the process over a stuck runner', [...wells(3), runnerStuck('a')], [], [], 'runner_stuck'],
    ['goes for it also where there is one connection alone', [runnerStuck('a')], [], [], 'runner_stuck'],
    [
      'goes for the process when three new sockets did not help and another is deaf too',
      [...wells(3), deaf('a'), deaf('b')],
      recycled('a', 'deaf', 3),
      ['a deaf', 'b deaf'],
      'deaf',
    ],
    [
      'goes for it also when that other one was deaf a while ago',
      [...wells(3), stuck('a')],
      [...recycled('a', 'sends_stuck', 3), ...recycled('b', 'sends_stuck', 1)],
      ['a sends_stuck'],
      'sends_stuck',
    ],
    [
      'waits for the third',
      [...wells(3), deaf('a'), deaf('b')],
      recycled('a', 'deaf', 2),
      ['a deaf', 'b deaf'],
      undefined,
    ],
    [
      'stays where one connection alone does not get well',
      [...wells(3), deaf('a')],
      recycled('a', 'deaf', 9),
      ['a deaf'],
      undefined,
    ],
    [
      'stays when the others have something else',
      [...wells(3), deaf('a'), stuck('b')],
      recycled('a', 'deaf', 3),
      ['b sends_stuck', 'a deaf'],
      undefined,
    ],
    [
      'counts each symptom for itself',
      [...wells(3), deaf('a'), deaf('b')],
      [...recycled('a', 'deaf', 2), ...recycled('a', 'sends_stuck', 2)],
      ['a deaf', 'b deaf'],
      undefined,
    ],
    [
      'stays over a server that is silent: it is as silent for the next process',
      [...wells(3), silent('a'), silent('b')],
      recycled('a', 'silent_server', 9),
      ['a silent_server', 'b silent_server'],
      undefined,
    ],
    [
      'stays when more than half are unwell: WhatsApp or the network is away',
      [...wells(2), deaf('a'), deaf('b'), runnerStuck('c')],
      recycled('a', 'deaf', 9),
      ['a deaf', 'b deaf'],
      undefined,
    ],
    [
      'does not take two for most of them',
      [...wells(1), deaf('a'), deaf('b')],
      recycled('a', 'deaf', 3),
      ['a deaf', 'b deaf'],
      'deaf',
    ],
    [
      'does not count those that have nothing to judge',
      [without('x'), without('y'), without('z'), ...wells(1), deaf('a'), deaf('b'), deaf('c')],
      recycled('a', 'deaf', 3),
      ['a deaf', 'b deaf', 'c deaf'],
      undefined,
    ],
  ])('%s', (_what, connections, past, recycles, endsProcess) => {
    const judgement = judge(connections, past, rules);

    expect(judgement.recycles.map(({ vitals, symptom }) => `${vitals.connectionId.slice(4)} ${symptom}`)).toEqual(
      recycles,
    );
    expect(judgement.endsProcess).toBe(endsProcess);
  });

  it('asks those for a sign of life that are open or wait for a person, and have been silent for a while', () => {
    const connections = [
      aConnection('quiet', { lastFrameMs: 31_000 }),
      aConnection('pairing', { phase: 'pairing', lastFrameMs: 31_000 }),
      aConnection('opening', { phase: 'opening', phaseMs: 31_000, lastFrameMs: 31_000 }),
      aConnection('heard', { lastFrameMs: 30_000 }),
      silent('silent'),
      without('none'),
    ];

    expect(judge(connections, [], rules).probes).toEqual([idOf('quiet'), idOf('pairing')]);
  });

  it('replaces no more than the open budget can open again, the longest unwell first', () => {
    const connections = [10, 40, 20, 30].map((ms) => aConnection(`${ms}`, { lastFrameMs: 60_000 + ms }));

    const { recycles, unwell } = judge(connections, [], { ...rules, mostRecycles: 2 });

    expect(recycles.map(({ vitals, forMs }) => [vitals.connectionId, forMs])).toEqual([
      [idOf('40'), 60_040],
      [idOf('30'), 60_030],
    ]);
    expect(unwell).toBe(4);
  });

  it('never replaces or asks a connection that is well, never more than it may, and never both', () => {
    const age = fc.integer({ min: 0, max: 130_000 });
    const maybe = fc.option(age, { nil: undefined });
    const evidence = fc.record({
      phase: fc.constantFrom<Evidence['phase']>('opening', 'pairing', 'open'),
      phaseMs: age,
      lastFrameMs: age,
      lastHandledMs: maybe,
      lastAckMs: maybe,
      oldestUnhandledMs: maybe,
      oldestUnacknowledgedMs: maybe,
      oldestLockMs: maybe,
    });
    const fleet = fc
      .array(fc.record({ evidence: fc.option(evidence, { nil: undefined }), runnerBusyMs: maybe }), { maxLength: 12 })
      .map((all) => all.map((each, index) => ({ ...owned, connectionId: idOf(String(index)), ...each })));
    const past = fc.array(
      fc.record({
        connectionId: fc.integer({ min: 0, max: 11 }).map((index) => idOf(String(index))),
        symptom: fc.constantFrom('deaf', 'sends_stuck', 'silent_server', 'never_success'),
        atMs: age,
      }),
      { maxLength: 30 },
    );

    fc.assert(
      fc.property(fleet, past, fc.integer({ min: 1, max: 5 }), (connections, recycles, mostRecycles) => {
        const judgement = judge(connections, recycles, { ...rules, mostRecycles });
        const asked = new Set(judgement.probes);

        expect(judgement.recycles.length).toBeLessThanOrEqual(mostRecycles);
        for (const { vitals, symptom } of judgement.recycles) {
          expect(symptomOf(vitals, rules.limits)).toBe(symptom);
          expect(asked.has(vitals.connectionId)).toBe(false);
        }
        const unwell = connections.filter((each) => symptomOf(each, rules.limits) !== undefined);
        expect(judgement.endsProcess === undefined || unwell.length > 0).toBe(true);
        expect(judgement.unwell).toBe(unwell.length);
      }),
    );
  });
});
