import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listenTo } from '../../../infra/local/childOutput.ts';
import { makeLogger } from '../../../shared/platform/logger.ts';

/** What was heard of an output that came in these pieces. */
async function hear(pieces: readonly Uint8Array[]) {
  const output = new PassThrough();
  const heard = {
    bytes: Buffer.alloc(0),
    hasPartOfLine: false,
    ready: [] as unknown[],
    troubles: [] as string[],
    metrics: [] as string[],
  };
  listenTo(output, 'worker-1', {
    onLines: (lines) => {
      heard.hasPartOfLine ||= lines.at(-1) !== 0x0a;
      heard.bytes = Buffer.concat([heard.bytes, lines]);
    },
    onReady: (line) => heard.ready.push(line),
    onTrouble: ({ level, message }) => heard.troubles.push(`${level} ${message}`),
    onMetrics: (line) => heard.metrics.push(line),
  });
  for (const piece of pieces) output.write(piece);
  output.end();
  await finished(output);
  return heard;
}

/** The lines of a logger. */
function logged(write: (logger: ReturnType<typeof makeLogger>) => void): string {
  let text = '';
  write(makeLogger('worker', 'debug', { write: (line) => void (text += line) }));
  return text;
}

const METRICS = '{"_aws":{"Timestamp":1},"stage":"local"}';

describe('the output of a child', () => {
  it('is passed on whole and in order, and heard the same, wherever the pipe cuts it', async () => {
    const lines = fc.array(
      fc.oneof(
        fc.constant('{"ready":true,"url":"http://127.0.0.1"}'),
        fc.constant(METRICS),
        fc.constant('{"level":"warn","message":"käse 😀"}'),
        fc.constant('{"level":"info","message":"request answered"}'),
        fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', '')),
      ),
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(40)), async (all, cuts) => {
        const bytes = Buffer.from(all.map((line) => `${line}\n`).join(''));
        const pieces: Uint8Array[] = [];
        let from = 0;
        for (const size of cuts) pieces.push(bytes.subarray(from, (from += size)));
        pieces.push(bytes.subarray(from));

        const [cut, whole] = await Promise.all([hear(pieces), hear([bytes])]);

        expect(cut).toEqual(whole);
        expect(whole.bytes.equals(bytes)).toBe(true);
        expect(whole.hasPartOfLine).toBe(false);
        expect(whole.ready).toHaveLength(all.some((line) => line.includes('"ready"')) ? 1 : 0);
        expect(whole.metrics).toEqual(all.filter((line) => line === METRICS));
        expect(whole.troubles).toEqual(all.filter((line) => line.includes('"warn"')).map(() => 'warn käse 😀'));
      }),
    );
  });

  it('tells of each line that a process logs as a warning or an error, and of no other', async () => {
    const text = logged((logger) => {
      logger.debug('one operation');
      logger.info('shard claimed', { reason: '"level":"warn"' });
      logger.warn('send not acknowledged', { to: '4915100000002@s.whatsapp.net' });
      logger.child({ workerId: 'wrk_1' }).error('store is away', { error: new Error('no route') });
    });

    expect((await hear([Buffer.from(`{"ready":true}\n${text}`)])).troubles).toEqual([
      'warn send not acknowledged',
      'error store is away',
    ]);
  });

  it('has its last line although the child was killed in the middle of it', async () => {
    const { bytes } = await hear([Buffer.from('first\nsecond')]);

    expect(bytes.toString()).toBe('first\nsecond\n');
  });

  it('without an end of line does not fill the memory', async () => {
    const { bytes } = await hear(Array.from({ length: 40 }, () => Buffer.alloc(65_536, 'x')));

    expect(
      bytes
        .toString()
        .split('\n')
        .slice(0, -1)
        .map(({ length }) => length <= 2 * 1_024 * 1_024),
    ).toEqual([true, true, true]);
  });
});
