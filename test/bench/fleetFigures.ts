/** What one side of the fleet bench showed in one round. */
export interface FleetFigures {
  readonly connections: number;
  /** The time from the first open to the last account that was let in. */
  readonly openSeconds: number;
  readonly openCpuMs: number;
  readonly openLoopP99Ms: number;
  readonly openLoopMaxMs: number;
  /** Heap and external memory after a forced collection, less the same before the first open; per connection. */
  readonly idleKb: number;
  /** Resident memory after a forced collection, base included; per connection. */
  readonly idleRssKb: number;
  /** Share of one core. */
  readonly idleCpuPercent: number;
  readonly firstSendsPerSecond: number;
  readonly firstSendCpuMs: number;
  readonly sendsPerSecond: number;
  readonly sendCpuMs: number;
  readonly receivedPerSecond: number;
  readonly receiveCpuMs: number;
  readonly receiveLoopP99Ms: number;
  readonly trafficKb: number;
  readonly trafficRssKb: number;
  /** A burst for one connection, while nothing else happens. */
  readonly burstPerSecond: number;
  readonly burstLoopP99Ms: number;
  readonly burstLoopMaxMs: number;
  /** How long the simulator's process was busy while messages were received: near 100 it is the limit, not the side. */
  readonly serverCpuPercent: number;
  readonly baseRssMb: number;
}

export type FigureName = keyof FleetFigures;

/** The middle one of each figure; of an even number of rounds the lower of the two. */
export function medianOf(rounds: readonly FleetFigures[]): FleetFigures {
  const [first] = rounds;
  if (first === undefined) throw new Error('there is no round');
  const names = Object.keys(first) as FigureName[];
  const middle = (name: FigureName): number => {
    const values = rounds.map((round) => round[name]).toSorted((left, right) => left - right);
    return values[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
  };
  return Object.fromEntries(names.map((name) => [name, middle(name)])) as unknown as FleetFigures;
}

export interface Verdict {
  readonly goal: string;
  readonly value: number;
  readonly bound: number;
  readonly holds: boolean;
  /** Whether the goal is one for this number of connections. */
  readonly isMeant: boolean;
}

/** The size that the goals of resident memory and of the time to open are for: the base weighs more on few. */
const FULL = 1_000;

/** The goals, of our side beside plain Baileys. */
export function judgeFleet(ours: FleetFigures, plain: FleetFigures): readonly Verdict[] {
  const isFull = ours.connections >= FULL;
  const most = (goal: string, value: number, bound: number, isMeant = true): Verdict => ({
    goal,
    value,
    bound,
    holds: value <= bound,
    isMeant,
  });
  const share = ours.receivedPerSecond / plain.receivedPerSecond;
  return [
    most('idle heap + external per connection, of plain: at most', ours.idleKb / plain.idleKb, 0.6),
    most('idle RSS per connection, base included, MB: at most', ours.idleRssKb / 1_024, 0.35, isFull),
    most(`seconds to open ${FULL}: at most`, ours.openSeconds, 12, isFull),
    { goal: 'received per second, of plain: at least', value: share, bound: 0.7, holds: share >= 0.7, isMeant: true },
    most('event-loop p99 in a burst for one connection, ms: at most', ours.burstLoopP99Ms, 100),
  ];
}

const labels: Readonly<Record<FigureName, readonly [label: string, digits: number]>> = {
  connections: ['connections', 0],
  openSeconds: ['time to all open, s', 1],
  openCpuMs: ['CPU per connect, ms', 1],
  openLoopP99Ms: ['  event-loop p99, ms', 0],
  openLoopMaxMs: ['  event-loop max, ms', 0],
  idleKb: ['idle: heap + external per connection, KB', 0],
  idleRssKb: ['idle: RSS per connection, base included, KB', 0],
  idleCpuPercent: ['idle: CPU, % of a core', 1],
  firstSendsPerSecond: ['first message to a contact, per s', 0],
  firstSendCpuMs: ['  CPU each, ms', 2],
  sendsPerSecond: ['further messages sent, per s', 0],
  sendCpuMs: ['  CPU each, ms', 2],
  receivedPerSecond: ['messages received, per s', 0],
  receiveCpuMs: ['  CPU each, ms', 2],
  receiveLoopP99Ms: ['  event-loop p99, ms', 0],
  trafficKb: ['after traffic: heap + external per connection, KB', 0],
  trafficRssKb: ['after traffic: RSS per connection, base included, KB', 0],
  burstPerSecond: ['burst for one connection, received per s', 0],
  burstLoopP99Ms: ['  event-loop p99, ms', 0],
  burstLoopMaxMs: ['  event-loop max, ms', 0],
  serverCpuPercent: ['simulator while receiving, % of a core', 0],
  baseRssMb: ['RSS before the first open, MB', 0],
};

/** The figures of both sides as lines of a table. */
export function tableOf(sides: readonly (readonly [name: string, figures: FleetFigures])[]): readonly string[] {
  const names = Object.keys(labels) as FigureName[];
  const width = Math.max(...names.map((name) => labels[name][0].length));
  const head = ['', ...sides.map(([name]) => name)];
  const rows = names.map((name) => {
    const [label, digits] = labels[name];
    return [label, ...sides.map(([, figures]) => figures[name].toFixed(digits))];
  });
  return [head, ...rows].map(([label = '', ...cells]) =>
    [label.padEnd(width), ...cells.map((cell) => cell.padStart(15))].join(' '),
  );
}
