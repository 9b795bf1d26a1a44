import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapeNames, shapes } from '../../infra/settings/shapes.ts';
import { assumptions, defaultFigures, type AssumptionName } from '../../ops/cost/assumptions.ts';
import { figuresFor, madeFor, shapeOf } from '../../ops/cost/deployedShape.ts';
import { billFor, billedMetrics, queueCount } from '../../ops/cost/model.ts';
import { flows, messageCounts, steps, type StepCounts } from '../../ops/cost/messageCounts.ts';
import { aloneShareAt, linesOf, millionOf } from '../../ops/cost/messageLines.ts';
import { prices } from '../../ops/cost/prices.ts';
import { shapeFor } from '../../ops/cost/shape.ts';
import { flagOf, millionRows, showBill } from '../../ops/cost/show.ts';

const main = resolve(import.meta.dirname, '../../ops/cost/main.ts');
const names = Object.keys(assumptions) as AssumptionName[];
/** What the command line says, as it ends. */
const cost = (...words: string[]) =>
  promisify(execFile)(process.execPath, [main, ...words]).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

describe('the cost model', () => {
  it('keeps the small shape, two workers and 16 shards, under 140 USD a month', () => {
    const bill = billFor(100, defaultFigures);

    expect(bill.shape).toMatchObject({ workers: 2, shards: 16 });
    expect(bill.usd).toBeLessThan(140);
    // Two tasks alone are 68 USD: a model that forgets them would be under 140, too.
    expect(bill.usd).toBeGreaterThan(75);
  });

  it('counts the workers that the shapes deploy, with their size', () => {
    for (const [shape, connections] of [
      ['small', 400],
      ['10k', 10_000],
      ['100k', 100_000],
    ] as const) {
      const { workers, workerCpu, workerMemoryMib } = shapes[shape];

      expect(shapeFor(connections, defaultFigures).workers).toBe(workers);
      expect([workerCpu / 1_024, workerMemoryMib / 1_024]).toEqual([
        defaultFigures.workerCpus,
        defaultFigures.workerGb,
      ]);
    }
  });

  it.each(shapeNames)('finds the shape of what it is made for, and nothing that it would not deploy: %s', (name) => {
    const { shape, usd } = billFor(madeFor[name], figuresFor(madeFor[name]));

    expect(shapeOf(madeFor[name])).toBe(name);
    expect(shape).toMatchObject({ workers: shapes[name].workers, shards: shapes[name].shardCount });
    expect(usd).toBe(billFor(madeFor[name], figuresFor(madeFor[name], name)).usd);
  });

  it('takes the smallest shape for fewer, and the next one only for those that it is made for', () => {
    expect([1, 400, 9_999, 10_000, 99_999, 100_000, 1_000_000].map(shapeOf)).toEqual([
      'small',
      'small',
      'small',
      '10k',
      '10k',
      '100k',
      '100k',
    ]);
  });

  it('keeps a connection under 0.32 USD a month with a thousand of them, and under 0.15 with a hundred thousand', () => {
    expect(billFor(1_000, figuresFor(1_000)).usd / 1_000).toBeLessThan(0.32);
    expect(billFor(100_000, figuresFor(100_000)).usd / 100_000).toBeLessThan(0.15);
  });

  it('shows every assumption with its flag and value, and every price with its source', () => {
    const text = showBill(billFor(100, defaultFigures), defaultFigures, {
      shape: 'small',
      deployed: defaultFigures,
    }).join('\n');

    const unseen = names.filter(
      (name) => !new RegExp(`^${flagOf(name)} +${assumptions[name].value} +\\S`, 'm').test(text),
    );
    expect(unseen).toEqual([]);
    for (const { usd, per } of Object.values(prices))
      expect(text).toMatch(new RegExp(`^${usd} +${per.slice(0, 12)}`, 'm'));
    expect(text).toContain('20 November 2026');
  });

  it('uses every assumption and every price: doubling one changes some bill', () => {
    const sizes = [1, 3_000];
    const all = { ...defaultFigures, streams: 20_000 };
    const total = (figures: typeof defaultFigures, connections: number): number => billFor(connections, figures).usd;

    const idle = names.filter((name) =>
      sizes.every((size) => {
        // Where another limit hides it, a smaller value shows it.
        const changed = [2, 0.1, 40].map((factor) => ({ ...all, [name]: all[name] * factor }));
        return changed.every((figures) => total(figures, size) === total(all, size));
      }),
    );

    expect(idle).toEqual([]);
    const used = new Set(billFor(100, all).lines.map(({ price }) => price));
    expect(Object.keys(prices).filter((name) => !used.has(name as keyof typeof prices))).toEqual([]);
  });

  it('never costs less for more connections, and always adds up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 100_000 }), (connections, more) => {
        const [less, greater] = [billFor(connections, defaultFigures), billFor(connections + more, defaultFigures)];
        expect(greater.usd).toBeGreaterThan(less.usd);
        expect(less.lines.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(less.usd, 6);
      }),
    );
  });

  it('always gives each connection room in a worker and in a shard', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        (connections, ramMbPerConnection) => {
          const figures = { ...defaultFigures, ramMbPerConnection };
          const { workers, perWorker, shards } = shapeFor(connections, figures);
          expect(workers * perWorker).toBeGreaterThanOrEqual(connections);
          expect(shards * figures.shardCap).toBeGreaterThanOrEqual(connections);
          expect(figures.workerMb + perWorker * ramMbPerConnection).toBeLessThanOrEqual(figures.workerGb * 1_024);
        },
      ),
    );
  });

  it('pays a worker by hand-counted figures', () => {
    const bill = billFor(1, defaultFigures);
    const usdOf = (part: string): number =>
      bill.lines.filter((line) => line.part === part).reduce((sum, { usd }) => sum + usd, 0);

    // 2 × 730 h × (0.03238 + 4 × 0.00356), and two addresses.
    expect(usdOf('workers')).toBeCloseTo(68.0652, 3);
    expect(bill.lines.find(({ price }) => price === 'publicIpMonth')?.usd).toBeCloseTo(7.3, 6);
    // 2 workers × 2,628,000 s × 0.2 = 1.0512 million writes.
    expect(bill.lines.find(({ what }) => what === 'leases written')?.quantity).toBeCloseTo(1.0512, 4);
    expect(queueCount(bill.shape)).toBe(24);
    expect(billedMetrics(1)).toBeGreaterThanOrEqual(25);
  });
});

describe('what a message costs', () => {
  it('is what the table of counts says, by hand', () => {
    const usdOf = (flow: 'send' | 'received', aloneShare: number, what: string): number | undefined =>
      linesOf(flow, 1_000_000, aloneShare, defaultFigures).find((line) => line.what === what)?.usd;

    // A row, its key and the note of its window in one transaction: (4 + 2) × 0.625; without the note (1 + 3) × 0.625.
    expect(usdOf('send', 1, 'accepted')).toBeCloseTo(3.75, 6);
    expect(usdOf('send', 0, 'accepted')).toBeCloseTo(2.5, 6);
    // A receive and a delete by deliver, and the send by ingest: 3 × 0.4.
    expect(usdOf('received', 1, 'deliveries')).toBeCloseTo(1.2, 6);
    // One request of the worker and 2 × 0.31 of ingest, at 0.5.
    expect(usdOf('received', 0, 'commands and facts')).toBeCloseTo(0.81, 6);
  });

  it('is never more where calls are shared, whatever the step', () => {
    const more = flows.flatMap((flow) =>
      steps.filter((step) => {
        const { shared, alone } = messageCounts[flow][step];
        return (Object.keys(shared) as (keyof StepCounts)[]).some((name) => shared[name] > alone[name]);
      }),
    );

    expect(more).toEqual([]);
    expect(aloneShareAt(0, defaultFigures)).toBe(1);
    expect(aloneShareAt(defaultFigures.halfSharedAt, defaultFigures)).toBe(0.5);
  });

  it('counts three webhooks of a sent message, and one of a received one, for each endpoint', () => {
    const requestsOf = (endpoints: number): number =>
      millionOf('sent', 1, { ...defaultFigures, endpoints }).find(({ what }) => what === 'deliveries')?.quantity ?? 0;

    expect(requestsOf(1)).toBeCloseTo(9, 6);
    expect(requestsOf(4)).toBeCloseTo(36, 6);
  });

  it('stands in the documents as the model says it', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/costs.md'), 'utf8');
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );

    for (const row of millionRows(defaultFigures)) expect(rows).toContainEqual([...row]);
    for (const connections of [400, 1_000, 10_000, 100_000]) {
      const { usd } = billFor(connections, figuresFor(connections));
      const [row] = rows.filter(([first]) => first === connections.toLocaleString('en'));
      expect(row?.slice(1, 3)).toEqual([usd.toFixed(2), (usd / connections).toFixed(4)]);
    }
    for (const streams of [10, 1_000, 10_000]) {
      const lines = billFor(1_000, { ...figuresFor(1_000), streams }).lines.filter(({ part }) => part === 'streams');
      const usdOf = (what: RegExp): string =>
        lines.reduce((sum, line) => sum + (what.test(line.what) ? line.usd : 0), 0).toFixed(2);
      const columns = [/./, /^(?:processors|memory|addresses)$/, /load balancer/, /^looks/, /^places/];
      expect(rows).toContainEqual([streams.toLocaleString('en'), ...columns.map(usdOf)]);
    }
    for (const flow of flows) {
      for (const step of steps) {
        const { shared, alone } = messageCounts[flow][step];
        if (alone.calls === 0) continue;
        const cells = ([name]: readonly [keyof StepCounts]): string => `${alone[name]} / ${shared[name]}`;
        const names = [['calls'], ['writeUnits'], ['readUnits'], ['fifo'], ['fair'], ['runs']] as const;
        expect(rows).toContainEqual([flow, step, ...names.map(cells)]);
      }
    }
  });
});

describe('npm run cost', () => {
  it('takes messages in the usual proportion, and any assumption as a flag', async () => {
    const { code, stdout } = await cost(
      '--connections',
      '5000',
      '--messages-per-day',
      '13',
      '--ram-mb-per-connection=15',
    );

    expect(code).toBe(0);
    expect(stdout).toMatch(/^5000 connections in shape small: 26 workers \(at most 193 connections each, by memory\)/);
    expect(stdout).toMatch(/^--received-per-day +10 +messages +given/m);
    expect(stdout).toMatch(/^--sent-per-day +3 +messages +given/m);
    expect(stdout).toMatch(/^--ram-mb-per-connection +15 +MB +given/m);
  });

  it('prints the bill of a shape as that of its connections, and says what the shape has of its own', async () => {
    const [byShape, byNumber] = await Promise.all([cost('--shape', '10k'), cost('--connections', '10000')]);

    expect(byShape.stdout).toBe(byNumber.stdout);
    expect(byShape.stdout).toMatch(/^10000 connections in shape 10k: 13 workers .*, 125 shards,/);
    expect(byShape.stdout).toMatch(/^--backup-days +14 +days +shape/m);
  });

  it.each([
    [[], 'Say how many: --connections N, or --shape small.'],
    [['--shape', '1k'], '--shape must be small, 10k, 100k, not "1k".'],
    [['--connections', 'many'], '--connections must be a whole number from 1, not "many".'],
    [['--connections', '0'], '--connections must be a whole number from 1, not "0".'],
    [['--connections', '1', '--sent-per-day', '-1'], "Option '--sent-per-day' argument is ambiguous"],
    [['--connections', '1', '--sent-per-day=-1'], '--sent-per-day must be a number from 0, not "-1".'],
    [['--connection', '1'], "Unknown option '--connection'."],
  ])('answers %j with one sentence and exit code 2', async (words, sentence) => {
    const { code, stdout, stderr } = await cost(...words);

    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
