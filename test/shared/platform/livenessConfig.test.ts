import { describe, expect, it } from 'vitest';
import { workerConfig } from '../../../shared/platform/config.ts';
import { closeRules } from '../../../worker/runner/closeRules.ts';

const environment = {
  HOLDFAST_STAGE: 'test',
  HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1:1/000000000000/',
  HOLDFAST_KEY_FILE: '/nowhere',
  HOLDFAST_TASK_ID: 'task-1',
} as const;
/** What closing a socket takes at most: facts on their way, then the close itself. */
const CLOSE_MS = 12_000;
const OPEN_MS = 5_000;

describe('the limits of the supervisor', () => {
  it.each([
    ['never_success', 'openingMs'],
    ['silent_server', 'lastFrameMs'],
    ['deaf', 'unhandledMs'],
    ['sends_stuck', 'unacknowledgedMs'],
    ['sends_stuck', 'lockMs'],
  ] as const)('let %s be found by %s, and be cured, within two minutes', (symptom, limit) => {
    const { liveness } = workerConfig(environment);

    const foundMs = liveness.limits[limit] + liveness.superviseEveryMs;

    expect(foundMs + CLOSE_MS + closeRules[symptom].firstDelayMs + OPEN_MS).toBeLessThanOrEqual(120_000);
  });

  it('leave the deadlines inside a socket their chance', () => {
    const { liveness, connections } = workerConfig(environment);

    // A stanza has 45 s; a send has 30 s to leave and then waits for its ack.
    expect(liveness.limits.unhandledMs).toBeGreaterThan(45_000);
    expect(liveness.limits.unacknowledgedMs).toBeGreaterThan(30_000 + connections.serverAckTimeoutMs);
  });

  it('are refused when no server could answer a probe in time', () => {
    const parse = (): unknown =>
      workerConfig({ ...environment, HOLDFAST_PROBE_AFTER_MS: '50000', HOLDFAST_SILENCE_LIMIT_MS: '60000' });

    expect(parse).toThrow('HOLDFAST_PROBE_AFTER_MS: must leave a server time to answer a probe');
  });
});
