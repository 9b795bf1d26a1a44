import type { ConnectionId } from '../../shared/kernel/id.ts';
import { drawFault } from './faults.ts';
import type { LedgerCounts, Violation } from './ledger.ts';
import { makeSeededRandom, type SeededRandom } from './seededRandom.ts';
import { QUEUE_URL_BASE, STAGE } from './simulatedAws.ts';
import { openRules, SHARD_CAP, SimulatedFleet } from './simulatedFleet.ts';
import { correct, type Variant } from './variants.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly variant?: Variant;
  /** Stops at the first violation, for who only wants to know whether there is one. */
  readonly stopsAtFirst?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly simulatedMs: number;
  readonly faults: readonly string[];
  readonly counts: LedgerCounts & {
    readonly accepted: number;
    readonly written: number;
    readonly logins: number;
    readonly replaced: number;
    readonly resent: number;
  };
  /** What happened, line by line. */
  readonly timeline: readonly string[];
}

/**
 * After the last fault every shard has a living owner within this time, in milliseconds: a brake (60 s), then one and a half
 * deaths (a member that has to notice first that nobody leads), then heartbeats that bring orders.
 */
const OWNED_WITHIN_MS = 60_000 + 1.5 * 25_000 + 20_000;
/**
 * The time within which every message has reached its end: the longest reconnect delay is 5 minutes, and a drain may be
 * on its way.
 */
const FINISHED_WITHIN_MS = 12 * 60_000;
const WARM_UP_MS = 25_000;
const FAULTS_MS = 180_000;
const CHECK_EVERY_MS = 1_000;
const USUAL_PAUSE_MS = [50, 2_500] as const;
/** The pauses for broken variants: the more is done, the more is done wrong. */
const DENSE_PAUSE_MS = [50, 700] as const;

/** Runs one world from a seed. The same seed gives the same world. */
export async function simulate({
  seed,
  variant = correct,
  stopsAtFirst = false,
}: SimulationOptions): Promise<SimulationResult> {
  const random = makeSeededRandom(seed);
  const timeline: string[] = [];
  const names: string[] = [];
  let nowMs = (): number => 0;
  const say = (who: string, what: string): void => {
    timeline.push(`${(nowMs() / 1_000).toFixed(3).padStart(9)}  ${who.padEnd(10)} ${what}`);
  };
  const shardCount = random.integer(2, 4);
  const world = new SimulatedFleet({
    random: random.fork(),
    variant,
    shardCount,
    connections: random.integer(shardCount, shardCount * (SHARD_CAP - 1)),
    say,
  });
  nowMs = () => world.time.nowMs;
  await world.prepare();
  for (let count = random.integer(2, 5); count > 0; count -= 1) world.startWorker(1);
  const startMs = world.time.nowMs;
  const faultsUntilMs = startMs + WARM_UP_MS + FAULTS_MS;
  const times = { fromMs: startMs + WARM_UP_MS, untilMs: faultsUntilMs, names, say };
  const overMs = planFaults(world, random.fork(), variant, times);
  keepTraffic(world, random.fork(), overMs, variant === correct ? USUAL_PAUSE_MS : DENSE_PAUSE_MS);
  const isBroken = (): boolean => stopsAtFirst && world.ledger.violations.length > 0;

  await world.time.run(faultsUntilMs, isBroken);
  // Faults that began last may last longer.
  while (world.time.nowMs < overMs() && !isBroken()) await world.time.run(overMs(), isBroken);
  if (!isBroken()) await settleWorld(world, shardCount, isBroken);
  if (!isBroken()) judgeWorld(world, shardCount);
  return toResult(world, { seed, startMs, names, timeline });
}

/** Ends a world and says what came of it. */
export function toResult(
  world: SimulatedFleet,
  run: {
    readonly seed: number;
    readonly startMs: number;
    readonly names: readonly string[];
    readonly timeline: readonly string[];
  },
): SimulationResult {
  for (const { machine } of world.workers) machine.kill();
  const broken = world.ledger.violations.map(
    ({ promise, atMs, what }) => `${(atMs / 1_000).toFixed(3).padStart(9)}  VIOLATION  ${promise}: ${what}`,
  );
  return {
    seed: run.seed,
    violations: world.ledger.violations,
    simulatedMs: world.time.nowMs - run.startMs,
    faults: run.names,
    counts: {
      ...world.ledger.counts,
      ...world.whatsApp.counts,
      accepted: world.accepted.length,
      written: world.written.length,
    },
    timeline: [...run.timeline, ...broken].sort((left, right) => Number(left.slice(0, 9)) - Number(right.slice(0, 9))),
  };
}

/** Tenants send and contacts write, each text once. */
function keepTraffic(
  world: SimulatedFleet,
  random: SeededRandom,
  untilMs: () => number,
  [shortestMs, longestMs]: readonly [number, number],
): void {
  let count = 0;
  const next = (): void => {
    if (world.time.nowMs > untilMs()) return;
    const connection = random.pick(world.connections);
    count += 1;
    if (random.chance(0.5)) world.send(connection, `message ${count}`);
    else world.write(connection, `in-${count}`);
    world.time.after(random.chance(0.3) ? 0 : random.between(shortestMs, longestMs), next);
  };
  world.time.after(1_000, next);
}

interface FaultTimes {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly names: string[];
  readonly say: (who: string, what: string) => void;
}

/** Arranges faults, some of them at the same time. Returns what tells when all of them are over. */
function planFaults(
  world: SimulatedFleet,
  random: SeededRandom,
  { faultNames }: Variant,
  { fromMs, untilMs, names, say }: FaultTimes,
): () => number {
  const generation = { value: 1 };
  let overMs = untilMs;
  for (let count = random.integer(3, 9); count > 0; count -= 1) {
    world.time.after(random.between(fromMs, untilMs) - world.time.nowMs, () => {
      const fault = drawFault(random, faultNames);
      names.push(fault.name);
      say('FAULT', fault.name);
      const context = { fleet: world, random, say: (what: string) => say('FAULT', what), generation };
      overMs = Math.max(overMs, world.time.nowMs + fault.begin(context));
    });
  }
  return () => overMs;
}

/** Lets the world come to rest, and reports what takes too long. A fleet that is all dead gets a new worker first. */
export async function settleWorld(world: SimulatedFleet, shardCount: number, isBroken: () => boolean): Promise<void> {
  if (world.living().length === 0) world.startWorker(99);
  const sinceMs = world.time.nowMs;
  const shards = Array.from({ length: shardCount }, (_, shard) => shard);
  let ownedMs: number | undefined;
  while (world.time.nowMs - sinceMs < FINISHED_WITHIN_MS && !isBroken()) {
    await world.time.run(world.time.nowMs + CHECK_EVERY_MS, isBroken);
    const isOwned = shards.every((shard) => world.isOwnedByTheLiving(shard));
    if (isOwned) ownedMs ??= world.time.nowMs - sinceMs;
    if (isOwned && shards.every((shard) => world.commandsLeft(shard) === 0) && isAtRest(world)) break;
  }
  if (ownedMs === undefined || ownedMs > OWNED_WITHIN_MS) {
    world.ledger.report('visible', `not all shards had an owner within ${OWNED_WITHIN_MS / 1_000} s`);
  }
}

function isAtRest(world: SimulatedFleet): boolean {
  const ids = world.connections.map(({ connectionId }) => connectionId);
  const isIdle = ids.every((id) => world.whatsApp.isOnline(id) && world.whatsApp.waiting(id) === 0);
  return isIdle && world.unfinished().length === 0;
}

/** Everything that must hold at the end: nothing lost, nothing twice, in order. */
export function judgeWorld(world: SimulatedFleet, shardCount: number): void {
  const { ledger, whatsApp } = world;
  for (const id of world.unfinished()) ledger.report('once-out', `${id} has not come to an end`);
  const published = world.published();
  for (const { connectionId } of world.connections) {
    if (!whatsApp.isOnline(connectionId)) ledger.report('visible', `${connectionId} is not online`);
    judgeSent(world, connectionId);
    const written = world.written.filter((found) => found.connectionId === connectionId).map(({ id }) => id);
    const seen = published.get(connectionId) ?? [];
    for (const id of written) if (!seen.includes(id)) ledger.report('nothing-lost-in', `${id} was never published`);
    if (!isSame(seen, written))
      ledger.report('in-order', `${connectionId} published ${seen.join()} of ${written.join()}`);
  }
  for (let shard = 0; shard < shardCount; shard += 1) {
    const left = world.commandsLeft(shard);
    if (left > 0) ledger.report('once-out', `${left} commands of shard ${shard} are still in their queue`);
  }
  const dead = world.aws.sqs.messages(`${QUEUE_URL_BASE}${STAGE}-command-dead.fifo`).length;
  if (dead > 0) ledger.report('once-out', `${dead} commands are among the dead letters`);
  judgeOpens(world);
}

function judgeSent({ ledger, whatsApp, accepted }: SimulatedFleet, connectionId: ConnectionId): void {
  const texts = new Map<string, string>(
    accepted.filter((message) => message.connectionId === connectionId).map(({ messageId, text }) => [messageId, text]),
  );
  const wanted = [...ledger.enqueued].flatMap((messageId) => texts.get(messageId) ?? []);
  const shown = whatsApp.shown(connectionId).map(({ text }) => text);
  for (const text of wanted) {
    const times = shown.filter((found) => found === text).length;
    if (times !== 1) ledger.report('once-out', `${connectionId}: "${text}" was shown ${times} times`);
  }
  const inOrder = shown.filter((text) => wanted.includes(text));
  if (!isSame(inOrder, wanted))
    ledger.report('in-order', `${connectionId} showed ${inOrder.join()} of ${wanted.join()}`);
}

/** No worker opens more than its burst and its rate allow, in whatever window. */
function judgeOpens({ ledger, whatsApp }: SimulatedFleet): void {
  const byMachine = Map.groupBy(whatsApp.logins, ({ machine }) => machine);
  for (const [machine, unordered] of byMachine) {
    const logins = [...unordered].sort((left, right) => left.issuedAtMs - right.issuedAtMs);
    // A worker that had its turn and was held up, by the store or by standing still, goes on with all handshakes in
    // flight at once.
    const extra = 1 + openRules.handshakes;
    for (const [first, { issuedAtMs: fromMs }] of logins.entries()) {
      for (let last = first; last < logins.length; last += 1) {
        const lengthMs = (logins[last]?.issuedAtMs ?? fromMs) - fromMs;
        const most = openRules.burst + (openRules.perSecond * (lengthMs + OPEN_JITTER_MS)) / 1_000 + extra;
        if (last - first + 1 > most) {
          ledger.report('no-storm', `${machine.name} opened ${last - first + 1} sockets in ${Math.round(lengthMs)} ms`);
          return;
        }
      }
    }
  }
}

/** Between its turn and its login a connection reads and writes the store, each for another time. */
const OPEN_JITTER_MS = 500;

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
