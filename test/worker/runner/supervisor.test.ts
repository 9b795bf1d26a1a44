import { describe, expect, it } from 'vitest';
import type { ConnectionVitals, Evidence, SocketSymptom } from '../../../shared/connection/liveness.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import type { LivenessConfig } from '../../../shared/platform/livenessConfig.ts';
import type { ProcessSymptom } from '../../../worker/runner/supervision.ts';
import { Supervisor, type Supervised, type SupervisorDependencies } from '../../../worker/runner/supervisor.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { wellEvidence } from '../socket/wellEvidence.ts';
import { FakeClock, owned } from './fakes.ts';

const config: LivenessConfig = {
  superviseEveryMs: 15_000,
  probeAfterMs: 30_000,
  limits: {
    runnerBusyMs: 100_000,
    openingMs: 60_000,
    lastFrameMs: 60_000,
    unhandledMs: 50_000,
    unacknowledgedMs: 60_000,
    lockMs: 60_000,
  },
};

/** A connection that shows what it is told, and keeps what it is asked. */
class FakeConnection implements Supervised {
  readonly asked: (SocketSymptom | 'probe')[] = [];
  shows: Partial<Evidence> = {};
  runnerBusyMs: number | undefined;
  problem: Error | undefined;
  /** A new socket is as unwell as the one before. */
  isNew = true;
  readonly #connectionId: ConnectionId;

  constructor(name: string) {
    this.#connectionId = `con_${name}` as ConnectionId;
  }

  readonly vitals = (): ConnectionVitals => {
    if (this.problem !== undefined) throw this.problem;
    const { runnerBusyMs } = this;
    return {
      ...owned,
      connectionId: this.#connectionId,
      runnerBusyMs,
      evidence: { ...wellEvidence, ...this.shows },
    };
  };
  readonly probe = (): void => void this.asked.push('probe');
  readonly recycle = (symptom: SocketSymptom): boolean => {
    if (this.isNew) this.asked.push(symptom);
    return this.isNew;
  };
}

function aSupervisor(overrides: Partial<SupervisorDependencies> = {}) {
  const clock = new FakeClock();
  const metrics = keepingMetrics();
  const connections = ['a', 'b', 'c', 'd', 'e'].map((name) => new FakeConnection(name));
  const unwell: ProcessSymptom[] = [];
  const world = { isOpen: true };
  const supervisor = new Supervisor({
    config,
    opensPerSecond: 25,
    connections: () => connections,
    isOpen: () => world.isOpen,
    clock,
    logger: silentLogger,
    metrics,
    onUnwell: (symptom) => void unwell.push(symptom),
    ...overrides,
  });
  void supervisor.run();
  const [a, b] = connections;
  if (a === undefined || b === undefined) throw new Error('unreachable');
  return { supervisor, clock, metrics, a, b, unwell, world };
}

describe('the supervisor', () => {
  it('looks every 15 s, until it is stopped', async () => {
    const { supervisor, clock, a } = aSupervisor();
    a.shows = { lastFrameMs: 31_000 };

    await clock.pass(45_000);
    supervisor.stop();
    await clock.pass(60_000);

    expect(a.asked).toEqual(['probe', 'probe', 'probe']);
    expect(clock.sleeping).toBe(0);
  });

  it('has the socket of a connection replaced that is unwell, and leaves the others alone', async () => {
    const { clock, metrics, a, b } = aSupervisor();
    a.shows = { oldestUnhandledMs: 55_000 };

    await clock.pass(15_000);

    expect([a.asked, b.asked]).toEqual([['deaf'], []]);
    expect(metrics.totalOf('SocketsRecycled', { symptom: 'deaf' })).toBe(1);
    expect(metrics.valuesOf('ConnectionsUnwell')).toEqual([1]);
  });

  it('counts a socket once, however long it takes to close', async () => {
    const { clock, metrics, a, b, unwell } = aSupervisor();
    for (const connection of [a, b]) connection.shows = { oldestUnhandledMs: 55_000 };
    await clock.pass(15_000);

    for (const connection of [a, b]) connection.isNew = false;
    await clock.pass(150_000);

    expect(metrics.totalOf('SocketsRecycled', { symptom: 'deaf' })).toBe(2);
    expect(unwell).toEqual([]);
  });

  it('asks for another process when three new sockets did not help two connections, once', async () => {
    const { clock, metrics, a, b, unwell } = aSupervisor();
    for (const connection of [a, b]) connection.shows = { oldestUnhandledMs: 55_000 };

    await clock.pass(45_000);
    const afterThree = [...unwell];
    await clock.pass(60_000);

    expect(afterThree).toEqual([]);
    expect(unwell).toEqual(['deaf']);
    expect(metrics.totalOf('WorkersUnwell', { because: 'deaf' })).toBe(1);
  });

  it('forgets what was replaced after ten minutes', async () => {
    const { clock, a, b, unwell } = aSupervisor();
    for (let time = 0; time < 5; time += 1) {
      for (const connection of [a, b]) connection.shows = { oldestUnhandledMs: 55_000 };
      await clock.pass(15_000);
      for (const connection of [a, b]) connection.shows = {};
      await clock.pass(300_000);
    }

    expect(a.asked.length).toBe(5);
    expect(unwell).toEqual([]);
  });

  it('asks for another process when a runner does not come back', async () => {
    const { clock, a, unwell } = aSupervisor();
    a.runnerBusyMs = 100_001;

    await clock.pass(30_000);

    expect(unwell).toEqual(['runner_stuck']);
  });

  it('judges nobody while the worker is suspended', async () => {
    const { clock, a, world, metrics } = aSupervisor();
    a.shows = { lastFrameMs: 200_000 };
    world.isOpen = false;

    await clock.pass(60_000);

    expect(a.asked).toEqual([]);
    expect(metrics.kept).toEqual([]);
  });

  it('asks before it judges when it comes late: the process was frozen, and all that it knows is old', async () => {
    const { supervisor, clock, a } = aSupervisor();
    supervisor.stop();
    a.shows = { lastFrameMs: 70_000, oldestUnhandledMs: 70_000 };

    await clock.pass(31_000);
    supervisor.look();
    const late = [...a.asked];
    await clock.pass(31_000);
    supervisor.look();

    expect(late).toEqual(['probe']);
    // Late again, but the process has run in between.
    expect(a.asked).toEqual(['probe', 'silent_server']);
  });

  it('goes on with the others when one connection cannot be judged', async () => {
    const { clock, a, b } = aSupervisor();
    a.problem = new Error('broken');
    b.shows = { oldestUnacknowledgedMs: 61_000 };

    await clock.pass(30_000);

    expect(b.asked).toEqual(['sends_stuck', 'sends_stuck']);
  });

  it('goes on when the connections cannot be told, and judges them when they can', async () => {
    let isBroken = true;
    const connection = new FakeConnection('a');
    connection.shows = { lastFrameMs: 61_000 };
    const { clock } = aSupervisor({
      connections: () => {
        if (isBroken) throw new Error('broken');
        return [connection];
      },
    });

    await clock.pass(15_000);
    isBroken = false;
    await clock.pass(15_000);

    expect(connection.asked).toEqual(['silent_server']);
  });
});
