import type { ShapeName } from '../../infra/settings/shapes.ts';
import { columns, counted } from '../sentence.ts';
import { assumptions, type AssumptionName, type Figures } from './assumptions.ts';
import { millionOf, parts } from './messageLines.ts';
import { queueCount, type Bill } from './model.ts';
import { prices, PRICES_OF } from './prices.ts';

/**
 * The lines of the output: the bill, then the prices, then every assumption with its value.
 * @param stage the shape that is deployed, and the figures that it has before flags
 */
export function showBill(
  bill: Bill,
  figures: Figures,
  stage: { readonly shape: ShapeName; readonly deployed: Figures },
): readonly string[] {
  const { shape, lines, usd } = bill;
  const limits = { memory: 'by memory', connectionsPerWorker: 'by --connections-per-worker' } as const;
  return [
    `${counted(shape.connections, 'connection')} in shape ${stage.shape}: ${counted(shape.workers, 'worker')} (at most ${shape.perWorker} connections each, ${limits[shape.limit]}), ` +
      `${counted(shape.shards, 'shard')}, ${queueCount(shape)} queues`,
    '',
    ...columns(
      ['USD a month', 'part', 'what', 'quantity', 'unit', 'USD each'],
      parts.flatMap((part) =>
        rowsOf(
          part,
          lines.filter((line) => line.part === part),
        ),
      ),
    ),
    '',
    `${usd.toFixed(2)} USD a month, ${(usd / shape.connections).toFixed(4)} for each connection`,
    '',
    'What a million messages cost by themselves, in USD; sent ones with `sent`, `delivered` and `read`',
    ...columns(
      ['part', 'what', 'sent alone', 'sent, shared', 'received alone', 'received, shared'],
      millionRows(figures),
    ),
    '',
    `Prices: us-east-1, on demand, of ${PRICES_OF}; no free tier, savings plan or Spot`,
    ...columns(
      ['USD', 'per', 'where', 'source'],
      Object.values(prices).map(({ usd: each, per, where, source }) => [String(each), per, where, sources[source]]),
    ),
    '',
    'Assumptions; each is a flag',
    ...columns(
      ['flag', 'value', 'unit', 'basis', 'what, and from where'],
      Object.entries(assumptions).map(([name, { unit, basis, why, value }]) => {
        const figure = figures[name as AssumptionName];
        const ofShape = stage.deployed[name as AssumptionName];
        return [flagOf(name), figure, unit, figure === value ? basis : figure === ofShape ? 'shape' : 'given', why];
      }),
    ),
  ];
}

/** The lines of one part of the bill, and their sum. */
function rowsOf(part: (typeof parts)[number], lines: Bill['lines']): readonly (readonly string[])[] {
  const sum = lines.reduce((total, line) => total + line.usd, 0);
  return [
    ...lines.map(({ what, price, quantity, usd: cost }) => [
      cost.toFixed(2).padStart(11),
      part,
      what,
      amount(quantity).padStart(10),
      prices[price].per,
      String(prices[price].usd),
    ]),
    [sum.toFixed(2).padStart(11), part, '(in all)', '', '', ''],
  ];
}

/** What a million messages cost, line by line: alone, and where all that can be is shared. */
export function millionRows(figures: Figures): readonly (readonly string[])[] {
  const columnsOf = [
    millionOf('sent', 1, figures),
    millionOf('sent', 0, figures),
    millionOf('received', 1, figures),
    millionOf('received', 0, figures),
  ];
  const names = new Map(columnsOf.flat().map((line) => [`${line.part} ${line.what}`, line]));
  const rows = [...names].map(([name, { part, what }]) => [
    part,
    what,
    ...columnsOf.map((lines) => (lines.find((line) => `${line.part} ${line.what}` === name)?.usd ?? 0).toFixed(2)),
  ]);
  const sums = columnsOf.map((lines) => lines.reduce((sum, { usd }) => sum + usd, 0).toFixed(2));
  return [...rows, ['all', '', ...sums]];
}

const sources = { documentation: 'looked up', known: 'known, not looked up again' } as const;

/** The name of a flag: `ramMbPerConnection` becomes `--ram-mb-per-connection`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function amount(quantity: number): string {
  return quantity >= 100 ? quantity.toFixed(0) : quantity.toPrecision(3);
}
