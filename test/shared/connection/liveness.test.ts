import { describe, expect, it } from 'vitest';
import {
  symptomAgeMs,
  symptomOf,
  type ConnectionVitals,
  type Evidence,
  type LivenessLimits,
  type Symptom,
} from '../../../shared/connection/liveness.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';

const limits: LivenessLimits = {
  runnerBusyMs: 90,
  openingMs: 75,
  lastFrameMs: 60,
  unhandledMs: 50,
  unacknowledgedMs: 40,
  lockMs: 30,
};

function vitals(evidence: Partial<Evidence> | undefined, runnerBusyMs?: number): ConnectionVitals {
  const well: Evidence = {
    phase: 'open',
    phaseMs: 10_000,
    lastFrameMs: 5,
    lastHandledMs: undefined,
    lastAckMs: undefined,
    oldestUnhandledMs: undefined,
    oldestUnacknowledgedMs: undefined,
    oldestLockMs: undefined,
  };
  return {
    tenantId: makeId('tnt', 0, systemRandom),
    connectionId: makeId('con', 0, systemRandom),
    shard: 0,
    runnerBusyMs,
    evidence: evidence && { ...well, ...evidence },
  };
}

describe('the symptoms of a connection', () => {
  it.each<readonly [what: string, vitals: ConnectionVitals, symptom: string | undefined]>([
    ['open, with frames and nothing waiting', vitals({}), undefined],
    ['open and idle for hours, but for keep-alives', vitals({ lastHandledMs: 9e6, lastAckMs: 9e6 }), undefined],
    ['without a socket', vitals(undefined), undefined],
    ['opening for as long as it may', vitals({ phase: 'opening', phaseMs: 75, lastFrameMs: 75 }), undefined],
    ['opening for longer', vitals({ phase: 'opening', phaseMs: 76 }), 'never_success'],
    ['pairing, for as long as a person takes', vitals({ phase: 'pairing', phaseMs: 9e6 }), undefined],
    ['pairing with a server that is silent', vitals({ phase: 'pairing', lastFrameMs: 61 }), 'silent_server'],
    ['no frame for as long as may be', vitals({ lastFrameMs: 60 }), undefined],
    ['no frame for longer', vitals({ lastFrameMs: 61 }), 'silent_server'],
    ['frames that nobody handles', vitals({ oldestUnhandledMs: 51 }), 'deaf'],
    ['a send without an answer', vitals({ oldestUnacknowledgedMs: 41 }), 'sends_stuck'],
    ['a lock that nobody gives back', vitals({ oldestLockMs: 31 }), 'sends_stuck'],
    ['deaf and stuck at once', vitals({ oldestUnhandledMs: 51, oldestUnacknowledgedMs: 41 }), 'deaf'],
    ['silent, so that sends wait too', vitals({ lastFrameMs: 61, oldestUnacknowledgedMs: 41 }), 'silent_server'],
    ['a runner that does not come back', vitals({}, 91), 'runner_stuck'],
    ['a runner that works', vitals(undefined, 90), undefined],
  ])('%s', (_what, connection, symptom) => {
    expect(symptomOf(connection, limits)).toBe(symptom);
  });
});

describe('for how long a symptom has shown', () => {
  it.each<readonly [symptom: Symptom, vitals: ConnectionVitals, ageMs: number]>([
    ['runner_stuck', vitals(undefined, 91), 91],
    ['never_success', vitals({ phase: 'opening', phaseMs: 76 }), 76],
    ['silent_server', vitals({ lastFrameMs: 61 }), 61],
    ['deaf', vitals({ oldestUnhandledMs: 51 }), 51],
    ['sends_stuck', vitals({ oldestUnacknowledgedMs: 41, oldestLockMs: 3 }), 41],
    ['sends_stuck', vitals({ oldestUnacknowledgedMs: 4, oldestLockMs: 31 }), 31],
    ['deaf', vitals({}), 0],
    ['deaf', vitals(undefined), 0],
  ])('%s', (symptom, connection, ageMs) => {
    expect(symptomAgeMs(connection, symptom)).toBe(ageMs);
  });
});
