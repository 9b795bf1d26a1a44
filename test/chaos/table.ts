import type { Spread } from './measures.ts';
import type { Row } from './runCase.ts';

/** The figures of a run, one row per case. A negative width stands to the left. */
type Column = readonly [above: string, title: string, width: number, value: (row: Row) => string | number];

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const spread = ({ p50, p99, max }: Spread): string => [p50, p99, max].map(seconds).join('/');
const ends = ({ p50, max }: Spread): string => [p50, max].map(seconds).join('/');

const columns: readonly Column[] = [
  ['', 'case', -25, ({ case: name }) => name],
  ['', 'took s', 6, ({ tookMs }) => (tookMs / 1_000).toFixed(0)],
  ['', 'overlap', 7, ({ measures }) => measures.overlap],
  ['', 'replaced', 8, ({ measures }) => measures.replaced],
  ['out', 'sent', 6, ({ measures }) => measures.accepted],
  ['', 'lost', 4, ({ measures }) => measures.lostOut],
  ['', 'twice', 5, ({ measures }) => measures.duplicates],
  ['', 'late', 4, ({ measures }) => measures.outOfOrderOut],
  ['', 'resent', 6, ({ measures }) => measures.resent],
  ['in', 'written', 8, ({ measures }) => measures.written],
  ['', 'lost', 4, ({ measures }) => measures.lostIn],
  ['', 'twice', 5, ({ measures }) => measures.repeatsIn],
  ['', 'late', 4, ({ measures }) => measures.outOfOrderIn],
  ['unreadable/', 'retried', 11, ({ measures }) => `${measures.undecryptable}/${measures.retryRequests}`],
  ['recon-', 'nected', 6, ({ measures }) => measures.reconnected],
  ['logins', '/s', 6, ({ measures }) => measures.loginsPerSecond],
  ['opens', '/s', 5, ({ measures }) => measures.opensPerSecond],
  ['gap s', 'p50/p99/max', 15, ({ measures }) => spread(measures.gapMs)],
  ['open s', 'p50/max', 11, ({ measures }) => ends(measures.openMs)],
  ['first send s', 'p50/max', 12, ({ measures }) => ends(measures.firstSendMs)],
  ['dead', 'letters', 7, ({ measures }) => measures.deadLetters],
  ['', 'holds', -5, (row) => (isGood(row) ? 'yes' : 'NO')],
];

/** Whether everything that was expected holds, and nothing else went wrong. */
export function isGood({ verdicts, problems }: Pick<Row, 'verdicts' | 'problems'>): boolean {
  return problems.length === 0 && verdicts.every(({ holds }) => holds);
}

export function tableHead(): string {
  const lines = [
    columns.map(([above, , width]) => pad(above, width)),
    columns.map(([, title, width]) => pad(title, width)),
    columns.map(([, , width]) => '-'.repeat(Math.abs(width))),
  ];
  return lines.map((cells) => cells.join(' ')).join('\n');
}

export function tableRow(row: Row): string {
  return columns.map(([, , width, value]) => pad(String(value(row)), width)).join(' ');
}

/** The lines of a row: the expectations that hold, and the ones that do not. */
export function verdictLines(row: Row): string {
  const { verdicts, problems } = row;
  const held = verdicts.filter(({ holds }) => holds).map(({ expected }) => expected);
  const broken = verdicts.filter(({ holds }) => !holds);
  return [
    `${row.case}${row.round > 1 ? ` (round ${row.round})` : ''}: ${isGood(row) ? 'all hold' : 'NOT all hold'}`,
    `  holds  ${held.join(', ')}`,
    ...broken.map(({ expected, found }) => `  FAILS  ${expected}: it was ${found}`),
    ...problems.map((problem) => `  FAILS  ${problem}`),
  ].join('\n');
}

function pad(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}
