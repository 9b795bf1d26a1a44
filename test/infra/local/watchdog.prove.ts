import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../infra/local/apiClient.ts';
import { startStack } from '../../../infra/local/stack.ts';
import type { RunningStack } from '../../../infra/local/stackOptions.ts';
import { until } from '../../../infra/local/until.ts';

/** No worker of this test finds another dead by itself. */
const NEVER_MS = '86400000';
const PATIENCE_MS = 90_000;

interface Fleet {
  readonly workers: readonly { readonly id: string; readonly state: string; readonly proof?: string }[];
  readonly shards: readonly { readonly owner?: string }[];
}

describe('the watchdog of the embedded stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-watchdog-'));
  let stack: RunningStack;
  let operator: ApiClient;
  beforeAll(async () => {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 2,
      workerSettings: { HOLDFAST_DEATH_MS: NEVER_MS, HOLDFAST_ORPHAN_CLAIM_MS: NEVER_MS },
      watchdogSettings: { HOLDFAST_WATCHDOG_DEATH_MS: '7000', HOLDFAST_WATCHDOG_EVERY_MS: '10500' },
      say: () => undefined,
      onBroken: (reason) => expect.fail(reason),
    });
    operator = new ApiClient(stack.apiUrl, stack.operatorKey);
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('has a frozen worker declared dead and its process replaced, and others take its shards', async () => {
    const fleet = async (): Promise<Fleet> => (await operator.must('GET', '/v1/admin/fleet')) as unknown as Fleet;
    await until(
      'both owning shards',
      fleet,
      ({ shards }) => new Set(shards.map(({ owner }) => owner)).size === 2 && shards.every(({ owner }) => owner),
    );
    const [frozen, other] = stack.workers();

    process.kill(frozen?.pid ?? 0, 'SIGSTOP');
    const after = await until(
      'all shards with the other',
      fleet,
      ({ shards }) => shards.every(({ owner }) => owner === other?.workerId),
      PATIENCE_MS,
    );
    const replaced = await until(
      'another worker in its place',
      () => stack.workers(),
      (workers) => workers.length === 2 && workers.every(({ workerId }) => workerId !== frozen?.workerId),
      PATIENCE_MS,
    );

    const { steps } = await operator.must('GET', '/v1/admin/watchdog');
    expect(after.workers.find(({ id }) => id === frozen?.workerId)).toMatchObject({ state: 'DEAD', proof: 'observed' });
    expect(replaced.map(({ index }) => index)).toContain(frozen?.index);
    const told = steps as readonly Record<string, unknown>[];
    expect(told.filter(({ worker }) => worker === frozen?.workerId)).toMatchObject([
      { rung: 'confirm_death', reason: 'silent', attempt: 1, outcome: 'dead' },
    ]);
    const log = readFileSync(join(stack.logs, 'watchdog.log'), 'utf8');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(expect.objectContaining({ WatchdogSteps: 1, rung: 'confirm_death', stage: 'local' }));
    expect(lines).toContainEqual(expect.objectContaining({ message: 'watchdog stepped in', action: 'confirm_death' }));
  });
});
