import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { TalkingChild } from '../../bench/childTalk.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import type { CallerAnswers } from './callers.ts';

const PROCESSES = 5;
const MOST = 1_000;
const SECONDS = 20;

describe('fifty callers in five processes', { timeout: 120_000 }, () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let children: readonly TalkingChild<CallerAnswers>[] = [];
  beforeAll(async () => {
    dynamoDb = await startDynamoDb();
    await createTables(dynamoDb.endpoint, 'test');
    children = Array.from({ length: PROCESSES }, () =>
      TalkingChild.start<CallerAnswers>(new URL('./callers.ts', import.meta.url)),
    );
  });
  afterAll(async () => {
    await Promise.all(children.map((child) => child.stop()));
    await dynamoDb.stop();
  });

  it('are let through at the rate of their tenant within 5 %, with few writes', async () => {
    const fromMs = Date.now() + 15_000;
    const question = {
      endpoint: dynamoDb.endpoint,
      tenantId: makeId('tnt', Date.now(), systemRandom),
      callers: 50 / PROCESSES,
      most: MOST,
      fromMs,
      untilMs: fromMs + SECONDS * 1_000,
      everyMs: 50,
    };

    const all = await Promise.all(children.map((child) => child.ask('call', question)));

    const sum = (name: 'asked' | 'passed' | 'writes') => all.reduce((total, one) => total + one[name], 0);
    const due = (MOST / 10) * SECONDS;
    process.stdout.write(
      `let through ${sum('passed')} of ${sum('asked')}, where ${due} were due; ${sum('writes')} writes in ${SECONDS + 15} s\n`,
    );
    expect(sum('asked')).toBeGreaterThan(2 * due);
    expect(sum('passed')).toBeGreaterThanOrEqual(0.95 * due);
    expect(sum('passed')).toBeLessThanOrEqual(1.05 * due);
    expect(sum('writes') / sum('asked')).toBeLessThan(0.1);
  });
});
