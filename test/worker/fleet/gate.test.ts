import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GateClosedError, LeaseGate, readClocks } from '../../../worker/fleet/gate.ts';
import { makeHandClock } from './handClock.ts';

const FENCE_MS = 15_000;

function aGate() {
  const clock = makeHandClock();
  return { clock, gate: new LeaseGate(clock, FENCE_MS, readClocks(clock)) };
}

describe('commit gate', () => {
  it('closes at the fence after the send time of the last acknowledged heartbeat', () => {
    const { clock, gate } = aGate();

    clock.run(FENCE_MS - 1);
    const before = gate.timeLeftMs();
    clock.run(1);

    expect(before).toBe(1);
    expect(gate.timeLeftMs()).toBe(0);
    expect(gate.isOpen()).toBe(false);
    expect(() => gate.assertOpen()).toThrow(GateClosedError);
  });

  it('counts from when a heartbeat was sent, not from when it was answered', () => {
    const { clock, gate } = aGate();

    const sent = readClocks(clock);
    clock.run(4_000);
    gate.acknowledge(sent);

    expect(gate.timeLeftMs()).toBe(FENCE_MS - 4_000);
  });

  it('opens again when a heartbeat is acknowledged while the lease lives', () => {
    const { clock, gate } = aGate();
    clock.run(FENCE_MS * 3);

    gate.acknowledge(readClocks(clock));

    expect(gate.isOpen()).toBe(true);
  });

  it('says for how long it has been open without a break, and nothing of the time before', () => {
    const { clock, gate } = aGate();
    const seen: number[] = [];

    clock.run(4_000);
    gate.acknowledge(readClocks(clock));
    clock.run(5_000);
    seen.push(gate.openForMs());
    clock.run(FENCE_MS);
    seen.push(gate.openForMs());
    gate.acknowledge(readClocks(clock));
    seen.push(gate.openForMs());
    clock.run(2_000);
    seen.push(gate.openForMs());
    gate.fence();
    seen.push(gate.openForMs());

    expect(seen).toEqual([9_000, 0, 0, 2_000, 0]);
  });

  it('stays closed for ever once fenced', () => {
    const { clock, gate } = aGate();

    gate.fence();
    gate.acknowledge(readClocks(clock));

    expect(gate.timeLeftMs()).toBe(0);
  });

  it('is closed after the machine slept, although the monotonic clock stood still', () => {
    const { clock, gate } = aGate();

    clock.sleepMachine(FENCE_MS);

    expect(gate.isOpen()).toBe(false);
  });

  it('is closed when the machine slept between a heartbeat and its answer', () => {
    const { clock, gate } = aGate();
    clock.run(5_000);

    const sent = readClocks(clock);
    clock.sleepMachine(FENCE_MS);
    gate.acknowledge(sent);

    expect(gate.isOpen()).toBe(false);
  });

  it('is not held open by a wall clock that is set back', () => {
    const { clock, gate } = aGate();

    clock.setWall(-3_600_000);
    clock.run(FENCE_MS);

    expect(gate.isOpen()).toBe(false);
  });

  it('is closed after a wall clock was set back, which may hide that the machine slept, until a heartbeat is sent after it', () => {
    const { clock, gate } = aGate();
    clock.run(1_000);
    const before = readClocks(clock);

    clock.sleepMachine(FENCE_MS * 4);
    clock.setWall(-FENCE_MS * 10);
    const hidden = gate.isOpen();
    gate.acknowledge(before);
    const byOlder = gate.isOpen();
    gate.acknowledge(readClocks(clock));

    expect([hidden, byOlder, gate.isOpen()]).toEqual([false, false, true]);
  });

  it('is not closed by a wall clock that drifts', () => {
    const { clock, gate } = aGate();

    clock.run(5_000);
    clock.setWall(-900);

    expect(gate.timeLeftMs()).toBe(FENCE_MS - 5_000);
  });

  it('is never open when the last acknowledged heartbeat was sent a fence ago, and never after it was fenced', () => {
    const duration = fc.integer({ min: 0, max: FENCE_MS });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('run' as const), ms: duration }),
      fc.record({ kind: fc.constant('sleep' as const), ms: duration }),
      fc.record({ kind: fc.constant('send' as const) }),
      fc.record({ kind: fc.constant('acknowledge' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('fence' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { clock, gate } = aGate();
        let nowMs = 0;
        let acknowledgedMs = 0;
        let fenced = false;
        const sent: { readonly clocks: ReturnType<typeof readClocks>; readonly atMs: number }[] = [];
        for (const taken of steps) {
          if (taken.kind === 'run') clock.run(taken.ms);
          if (taken.kind === 'sleep') clock.sleepMachine(taken.ms);
          if (taken.kind === 'run' || taken.kind === 'sleep') nowMs += taken.ms;
          if (taken.kind === 'send') sent.push({ clocks: readClocks(clock), atMs: nowMs });
          const answered = taken.kind === 'acknowledge' ? sent[taken.which % Math.max(1, sent.length)] : undefined;
          if (answered !== undefined) {
            gate.acknowledge(answered.clocks);
            acknowledgedMs = Math.max(acknowledgedMs, answered.atMs);
          }
          if (taken.kind === 'fence') {
            gate.fence();
            fenced = true;
          }
          // Open exactly then: it must neither be late nor close without a reason.
          expect(gate.isOpen()).toBe(!fenced && nowMs - acknowledgedMs < FENCE_MS);
        }
      }),
      { numRuns: 500 },
    );
  });
});
