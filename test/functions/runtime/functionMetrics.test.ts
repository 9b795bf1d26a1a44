import { describe, expect, it } from 'vitest';
import { thenFlush } from '../../../functions/runtime/functionMetrics.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { makeMetrics } from '../../../shared/platform/metrics.ts';

function aFunction(answer: () => Promise<string>, { isFrozen = true }: { readonly isFrozen?: boolean } = {}) {
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  const sleep = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const metrics = makeMetrics({
    stage: 'test',
    processKind: 'ingest',
    clock: systemClock,
    write: (line) => lines.push(line),
    flushEveryMs: undefined,
    logger: silentLogger,
  });
  const handle = async (lag: number): Promise<string> => {
    metrics.measure('EventLag', lag, {});
    return answer();
  };
  const handler = thenFlush(metrics, handle, { isFrozen, clock: { sleep } });
  const passSecond = async (): Promise<void> => {
    wake();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { handler, lines, passSecond };
}

describe('the metrics of a function', () => {
  it('are written before the call ends, as the process is frozen after it', async () => {
    const { handler, lines } = aFunction(() => Promise.resolve('done'));

    const answer = await handler(7);

    expect(answer).toBe('done');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ process: 'ingest', EventLag: [7] }]);
  });

  it('are written when the call fails, too', async () => {
    const { handler, lines } = aFunction(() => Promise.reject(new Error('the store is gone')));

    await expect(handler(7)).rejects.toThrow('the store is gone');

    expect(lines).toHaveLength(1);
  });

  it('are those of one call', async () => {
    const { handler, lines } = aFunction(() => Promise.resolve('done'));

    await handler(1);
    await handler(2);

    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ EventLag: [1] }, { EventLag: [2] }]);
  });

  it('are written within a second in a process that is not frozen, those of several calls together', async () => {
    const { handler, lines, passSecond } = aFunction(() => Promise.resolve('done'), { isFrozen: false });

    await handler(1);
    await handler(2);
    const before = [...lines];
    await passSecond();
    await handler(3);
    await passSecond();

    expect(before).toEqual([]);
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ EventLag: [1, 2] }, { EventLag: [3] }]);
  });
});
