import { holds, type Result } from './campaign.ts';
import { portOf, replayCommand } from './points.ts';

/** One row: all crashes of one scenario at one kind of call. */
export interface Row {
  readonly scenario: string;
  readonly port: string;
  readonly results: readonly Result[];
}

type Figure = 'lost' | 'duplicates' | 'resent' | 'repeats' | 'reusedKeys' | 'undecryptable';
/** A negative width stands to the left. */
type Column = readonly [title: string, width: number, value: (row: Row) => string | number];

const sum =
  (figure: Figure) =>
  ({ results }: Row): number =>
    results.reduce((total, { run }) => total + (run?.findings[figure] ?? 0), 0);
const outcomes = ({ results }: Row, outcome: 'crashed' | 'missed'): number =>
  results.filter(({ run }) => run?.outcome === outcome).length;

const columns: readonly Column[] = [
  ['scenario', -22, ({ scenario }) => scenario],
  ['call', -26, ({ port }) => port],
  ['points', 6, ({ results }) => results.length],
  ['missed', 6, (row) => outcomes(row, 'missed')],
  ['lost', 4, sum('lost')],
  ['duplicates', 10, sum('duplicates')],
  ['resent', 6, sum('resent')],
  ['repeats', 7, sum('repeats')],
  ['reused keys', 11, sum('reusedKeys')],
  ['undecryptable', 13, sum('undecryptable')],
  ['holds', -5, ({ results }) => (results.every(holds) ? 'yes' : 'NO')],
];

/** Rows in the order in which their first results came. */
export function rowsOf(results: readonly Result[]): readonly Row[] {
  const rows = new Map<string, { scenario: string; port: string; results: Result[] }>();
  for (const result of results) {
    const { scenario, plan } = result.point;
    const port = portOf(plan.call);
    const row = rows.get(`${scenario}/${port}`) ?? { scenario, port, results: [] };
    row.results.push(result);
    rows.set(`${scenario}/${port}`, row);
  }
  return [...rows.values()];
}

export function tableOf(rows: readonly Row[]): string {
  const all: Row = { scenario: 'all', port: '', results: rows.flatMap(({ results }) => results) };
  const lines = [
    columns.map(([title, width]) => pad(title, width)),
    columns.map(([, width]) => '-'.repeat(Math.abs(width))),
    ...[...rows, all].map((row) => columns.map(([, width, value]) => pad(String(value(row)), width))),
  ];
  return lines.map((cells) => cells.join(' ').trimEnd()).join('\n');
}

/** What does not hold about a crash, and how to see it again. */
export function complaint(result: Result): string {
  const { point, run, error } = result;
  const problems = run?.findings.problems ?? [`it could not be played: ${error}`];
  const { call, when } = point.plan;
  return [
    `${point.scenario}, ${when} ${call}`,
    ...problems.map((line) => `  ${line}`),
    `  ${replayCommand(point)}`,
  ].join('\n');
}

function pad(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}
