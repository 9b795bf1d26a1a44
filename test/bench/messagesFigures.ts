import type { Figures } from './messagesLoad.ts';

/** A row of the table: one figure, and where there is a goal, its bound. */
export interface Row {
  readonly figure: string;
  readonly label: string;
  readonly digits: number;
  readonly goal?: { readonly most: number } | { readonly least: number };
}

const row = (figure: string, label: string, digits: number, goal?: Row['goal']): Row => ({
  figure,
  label,
  digits,
  ...(goal === undefined ? {} : { goal }),
});

/** What a tenant sees first, then what it costs. */
export const rows: readonly Row[] = [
  row('acceptedPerSecond', '20 callers: accepted a second', 0, { least: 250 }),
  row('shownPerSecond', '20 callers: shown at the phones a second', 0, { least: 250 }),
  row('deliveredPerSecond', '20 callers: `delivered` webhooks a second', 0),
  row('answerP50Ms', '100 sends a second: answer p50, ms', 0, { most: 25 }),
  row('answerP99Ms', '100 sends a second: answer p99, ms', 0, { most: 120 }),
  row('deliveredP50Ms', '100 sends a second: `delivered` webhook after the answer p50, ms', 0, { most: 200 }),
  row('deliveredP99Ms', '100 sends a second: `delivered` webhook after the answer p99, ms', 0),
  row('in30P50Ms', 'phone → webhook at 30 a second p50, ms', 0),
  row('in30P99Ms', 'phone → webhook at 30 a second p99, ms', 0),
  row('in100P50Ms', 'phone → webhook at 100 a second p50, ms', 0, { most: 25 }),
  row('in100P99Ms', 'phone → webhook at 100 a second p99, ms', 0, { most: 150 }),
  row('in300P50Ms', 'phone → webhook at 300 a second p50, ms', 0),
  row('in300P99Ms', 'phone → webhook at 300 a second p99, ms', 0),
  row('in300Behind', 'phone → webhook at 300 a second: messages behind at the end', 0),
  row('in300BehindSeconds', 'phone → webhook at 300 a second: seconds behind at the end', 1),
  row('burstPerSecond', 'burst of 1,000: webhooks a second', 0, { least: 500 }),
  row('sendCpuMs', 'CPU for a send, 20 callers, ms', 1, { most: 9 }),
  row('pacedCpuMs', 'CPU for a send, 100 a second, ms', 1, { most: 9 }),
  row('in100CpuMs', 'CPU for a message received, 100 a second, ms', 1, { most: 3 }),
  row('burstCpuMs', 'CPU for a message received, burst, ms', 1),
  row('pairSeconds', '50 pairings at once, s', 1, { most: 8 }),
  row('pairCpuMs', '50 pairings at once: CPU for each, ms', 0),
  row('pairLost', '50 pairings at once: lost', 0, { most: 0 }),
  row('slowPairSeconds', '… with workers’ stores that answer after 2 s, s', 1),
  row('slowPairLost', '… with workers’ stores that answer after 2 s: lost', 0, { most: 0 }),
  row('restMb', 'at rest: resident memory of all processes, MB', 0, { most: 450 }),
  row('restOwnMb', 'at rest: … without the simulator, MB', 0),
  row('restCpu', 'at rest: CPU of all processes, % of a core', 1, { most: 4 }),
  row('restOwnCpu', 'at rest: … without the simulator, % of a core', 1),
  row('restCalls', 'at rest: calls to the stores a second', 1),
  row('sendCalls', 'calls for a send with `sent` and `delivered`', 1, { most: 10 }),
  row('receiveCalls', 'calls for a message received', 1, { most: 4 }),
  row('readCalls', 'calls for a read message', 1),
  row('sendReadWriteUnits', 'write units for a send with `sent`, `delivered`, `read`', 1, { most: 12 }),
  row('receiveWriteUnits', 'write units for a message received', 1, { most: 4 }),
  row('sendReadReadUnits', 'read units for a send with `sent`, `delivered`, `read`', 1),
  row('receiveReadUnits', 'read units for a message received', 1),
  row('sendQueueRequests', 'SQS requests for a send with `sent` and `delivered`', 1, { most: 8 }),
  row('receiveQueueRequests', 'SQS requests for a message received', 1, { most: 5 }),
  row('sendKb', 'KB over the wire for a send with `sent` and `delivered`', 1),
  row('receiveKb', 'KB over the wire for a message received', 1),
  row('countedSends', 'sends a second while calls were counted', 0),
  row('countedReceived', 'messages received a second while calls were counted', 0),
  row('lost', 'lost, in all phases', 0, { most: 0 }),
  row('doubled', 'doubled, in all phases', 0, { most: 0 }),
  row('outOfOrder', 'out of order in a chat, in all phases', 0, { most: 0 }),
  row('refused', 'sends that were not accepted, in all phases', 0, { most: 0 }),
  row('repeats', 'webhooks repeated under the same id', 0),
  row('forged', 'webhooks with a wrong signature', 0, { most: 0 }),
];

/** Adds the figures that are sums of others: what went wrong in all phases, and what a send takes until it is read. */
export function withSums(figures: Figures): Figures {
  const sumOf = (ending: string): number =>
    Object.entries(figures).reduce(
      (sum, [name, value]) => sum + (name.endsWith(ending) && !/[pP]air/.test(name) ? value : 0),
      0,
    );
  const both = (name: string): number =>
    (figures[`send${name}`] ?? Number.NaN) + (figures[`read${name}`] ?? Number.NaN);
  const counted = { sendReadWriteUnits: both('WriteUnits'), sendReadReadUnits: both('ReadUnits') };
  return {
    ...figures,
    ...Object.fromEntries(Object.entries(counted).filter(([, value]) => !Number.isNaN(value))),
    lost: sumOf('Lost'),
    doubled: sumOf('Doubled'),
    outOfOrder: sumOf('OutOfOrder'),
    refused: sumOf('Refused'),
  };
}

/** The middle one of each figure; of an even number of rounds the lower of the two. What must not happen is the most of any round. */
export function medianOf(rounds: readonly Figures[]): Figures {
  const names = new Set(rounds.flatMap((round) => Object.keys(round)));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = rounds.flatMap((round) => round[name] ?? []).toSorted((left, right) => left - right);
      const isFault = /lost$|doubled$|outOfOrder$|refused$|forged$/i.test(name);
      return [name, values[isFault ? values.length - 1 : Math.floor((values.length - 1) / 2)] ?? Number.NaN];
    }),
  );
}

/** Whether a figure is as its row wants it; undefined where there is no goal or no figure. */
export function holds({ figure, goal }: Row, figures: Figures): boolean | undefined {
  const value = figures[figure];
  if (goal === undefined || value === undefined || Number.isNaN(value)) return undefined;
  return 'most' in goal ? value <= goal.most : value >= goal.least;
}

/** What is compared in the table; a column without any figure is left out. */
export interface Compared {
  readonly before: Figures | undefined;
  readonly now: Figures;
  readonly floor: Figures | undefined;
}

/** The table, in Markdown. */
export function tableOf({ before, now, floor }: Compared): readonly string[] {
  const table = rows
    .filter(({ figure }) => now[figure] !== undefined)
    .map((entry) => {
      const { figure, label, digits, goal } = entry;
      const show = (value: number | undefined): string =>
        value === undefined || Number.isNaN(value) ? '' : value.toFixed(digits);
      const ratio = (now[figure] ?? Number.NaN) / (floor?.[figure] ?? Number.NaN);
      const bound = goal === undefined ? '' : 'most' in goal ? `≤ ${goal.most}` : `≥ ${goal.least}`;
      const verdict = holds(entry, now);
      return [
        label,
        ...(before === undefined ? [] : [show(before[figure])]),
        show(now[figure]),
        ...(floor === undefined ? [] : [show(floor[figure]), Number.isFinite(ratio) ? ratio.toFixed(2) : '']),
        bound,
        verdict === undefined ? '' : verdict ? 'holds' : 'MISSED',
      ];
    });
  const head = [
    '',
    ...(before === undefined ? [] : ['before']),
    'now',
    ...(floor === undefined ? [] : ['floor', 'ratio']),
    'goal',
    '',
  ];
  return inColumns([head, ...table]);
}

/** Rows of a table in Markdown, with cells as wide as their columns. */
export function inColumns(cells: readonly (readonly string[])[]): readonly string[] {
  const [head = []] = cells;
  const widths = head.map((_, column) => Math.max(3, ...cells.map((line) => (line[column] ?? '').length)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => pad(text, widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.slice(1).map(line)];
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - text.length));
}

/** What messages ask of the stores, by who asks; with an earlier run as `before → now`. */
export function stepTable(before: Figures | undefined, now: Figures): readonly string[] {
  const kinds = { send: 'send, with `sent` and `delivered`', read: 'it is read', receive: 'message received' } as const;
  const names = ['Calls', 'WriteUnits', 'ReadUnits', 'QueueRequests', 'Kb'] as const;
  const lines = Object.entries(kinds).flatMap(([kind, label]) => {
    const callers = [
      ...new Set([now, before ?? {}].flatMap((figures) => partsOf(figures, `${kind}Calls`).map(([who]) => who))),
    ];
    return ['', ...callers].flatMap((caller) => {
      const suffix = caller === '' ? '' : `:${caller}`;
      const values = names.map(
        (name) => [before?.[`${kind}${name}${suffix}`] ?? 0, now[`${kind}${name}${suffix}`] ?? 0] as const,
      );
      if (values.flat().every((value) => value < SHOWN_FROM)) return [];
      const cells = values.map(([then, value]) => `${before === undefined ? '' : `${short(then)} → `}${short(value)}`);
      return [[label, caller === '' ? 'all' : caller, ...cells]];
    });
  });
  return inColumns([['for a', 'by', 'calls', 'write units', 'read units', 'SQS requests', 'KB'], ...lines]);
}

/** A value that is too small to be shown is nothing. */
export const SHOWN_FROM = 0.02;

export function short(value: number): string {
  return value < SHOWN_FROM / 4 ? '0' : value.toFixed(2);
}

/** Figures of one kind by part, for example by process or by caller, the largest first. */
export function partsOf(figures: Figures, figure: string): readonly (readonly [part: string, value: number])[] {
  return Object.entries(figures)
    .filter(([name]) => name.startsWith(`${figure}:`))
    .map(([name, value]) => [name.slice(figure.length + 1), value] as const)
    .toSorted(([, left], [, right]) => right - left);
}
