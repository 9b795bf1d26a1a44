import { describe, expect, it } from 'vitest';
import { noteAnswer } from '../../../../infra/local/ops/awsStandIns.ts';
import { samplesOf } from '../../../../infra/local/ops/emfLine.ts';
import { SampleLines } from '../../../../infra/local/ops/sampleLines.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);

function someLines() {
  const written: string[] = [];
  let wake: () => void = () => undefined;
  const sleep = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const lines = new SampleLines({ nowMs: () => NOW_MS, sleep }, (line) => void written.push(line));
  const passSecond = async (): Promise<void> => {
    wake();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lines, written, passSecond };
}

describe('what a process measures in the place of AWS', () => {
  it('becomes one line for a second, which is read like all other metrics', async () => {
    const { lines, written, passSecond } = someLines();

    noteAnswer(lines, { status: 200, durationMs: 8 }, NOW_MS);
    noteAnswer(lines, { status: 503, durationMs: 12 }, NOW_MS);
    const before = [...written];
    await passSecond();

    expect(before).toEqual([]);
    expect(written).toHaveLength(1);
    const common = { namespace: 'AWS/ApiGateway', dimensions: { ApiId: 'api' }, atMs: NOW_MS };
    expect(written.flatMap((line) => samplesOf(line))).toEqual([
      { ...common, name: 'Count', values: [1, 1] },
      { ...common, name: 'Latency', values: [8, 12] },
      { ...common, name: '4xx', values: [0, 0] },
      { ...common, name: '5xx', values: [0, 1] },
    ]);
  });

  it('is written early when it is much', () => {
    const { lines, written } = someLines();

    for (let count = 0; count < 300; count += 1) noteAnswer(lines, { status: 200, durationMs: 8 }, NOW_MS);

    expect(written).toHaveLength(1);
  });
});
