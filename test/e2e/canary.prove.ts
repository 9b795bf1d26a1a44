import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCanaryHandler, type CanaryDependencies } from '../../functions/canary/handler.ts';
import { ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { keepingMetrics } from '../shared/platform/keepingMetrics.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';

const OWN = '4915100000009';

describe('the canary, through every process of the embedded stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-canary-'));
  let stack: RunningStack;
  let api: ApiClient;
  let key: string;
  let connectionId: string;
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    await whatsApp.addPhone(OWN, 'Canary');
    const operator = new ApiClient(stack.apiUrl, stack.operatorKey);
    const tenant = await operator.must('POST', '/v1/admin/tenants', { name: 'Operators' });
    const made = await operator.must('POST', `/v1/admin/tenants/${String(tenant['id'])}/api-keys`, {});
    key = String(made['secret']);
    api = new ApiClient(stack.apiUrl, key);
    connectionId = await pairSandboxPhone(api, whatsApp, { number: OWN, method: 'qr' });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const run = async (overrides: Partial<CanaryDependencies> = {}) => {
    const metrics = keepingMetrics();
    const lines: string[] = [];
    const logger = makeLogger('canary', 'info', { write: (line) => lines.push(line) });
    await makeCanaryHandler({
      apiUrl: stack.apiUrl,
      connectionId,
      readKey: () => Promise.resolve(new Secret(key)),
      clock: systemClock,
      metrics,
      logger,
      ...overrides,
    })();
    return { metrics, lines, log: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  };

  it('sends itself a message that WhatsApp takes, and says how long that took', async () => {
    const { metrics, log } = await run();

    expect(log).toEqual([]);
    expect(metrics.valuesOf('CanaryDuration')).toEqual([expect.any(Number)]);
    expect(metrics.valuesOf('CanaryFailed')).toEqual([0]);
    const { data } = await api.must('GET', `/v1/connections/${connectionId}/messages`);
    expect(data).toEqual(
      expect.arrayContaining([expect.objectContaining({ direction: 'out', content: expect.anything() })]),
    );
  });

  it.each<[what: string, () => Partial<CanaryDependencies>, phase: string, words: string]>([
    ['a key that is gone', () => ({ readKey: () => Promise.resolve(new Secret('hf_wrong')) }), 'connection', '401'],
    ['a connection that is gone', () => ({ connectionId: 'con_00000000000000000000000000' }), 'connection', '404'],
    ['an API that is gone', () => ({ apiUrl: 'http://127.0.0.1:1' }), 'connection', 'did not answer'],
    ['a parameter that is gone', () => ({ readKey: () => Promise.reject(new Error('no parameter')) }), 'key', 'no par'],
  ])('counts a failure and says where it was, with %s', async (_, overrides, phase, words) => {
    const { metrics, log, lines } = await run(overrides());

    expect(metrics.valuesOf('CanaryFailed')).toEqual([1]);
    expect(metrics.valuesOf('CanaryDuration')).toEqual([]);
    expect(log).toMatchObject([
      { message: 'canary failed', phase, error: { message: expect.stringContaining(words) } },
    ]);
    expect(lines.join('\n')).not.toContain(key);
  });

  it('counts a failure when the message waits longer than a customer would', async () => {
    await api.must('POST', `/v1/connections/${connectionId}/stop`);
    // Another minute: the message of this one has arrived.
    const clock = { ...systemClock, nowMs: () => Date.now() + 3_600_000 };

    const { metrics, log } = await run({ patienceMs: 1_500, clock });

    expect(metrics.valuesOf('CanaryFailed')).toEqual([1]);
    expect(log).toMatchObject([
      { phase: 'arrival', error: { message: expect.stringMatching(/still \w+ after 1500/) } },
    ]);
  });
});
