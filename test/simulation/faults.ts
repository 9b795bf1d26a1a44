import { DeleteMessageBatchCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { leaseKey } from '../../shared/fleet/fleetLease.ts';
import type { ClientFrame } from './fakeWhatsApp.ts';
import type { LinkFault, ServiceName } from './network.ts';
import { fairWeather } from './network.ts';
import type { SeededRandom } from './seededRandom.ts';
import type { SimulatedFleet, SimulatedWorker } from './simulatedFleet.ts';
import { STAGE } from './simulatedAws.ts';
import { OUTGOING } from './simulatedSocket.ts';

/** What a fault has to do with. `generation` is that of the newest deploy. */
export interface FaultContext {
  readonly fleet: SimulatedFleet;
  readonly random: SeededRandom;
  readonly say: (what: string) => void;
  readonly generation: { value: number };
}

export interface Fault {
  readonly name: string;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** Begins, and arranges its own end. Returns the longest time until it is over, milliseconds. */
  readonly begin: (context: FaultContext) => number;
}

/** Everything that can go wrong, each with an end; docs/protocol.md, "What holds at every moment", holds during and after. */
export const faults: readonly Fault[] = [
  { name: 'crash', weight: 3, begin: (context) => crash(context, anyWorker(context)) },
  { name: 'crash of the leader', weight: 2, begin: (context) => crash(context, leaderOf(context)) },
  {
    name: 'pause',
    weight: 4,
    begin: (context) => pause(context, anyWorker(context), context.random.between(3_000, 75_000)),
  },
  {
    name: 'pause of the leader',
    weight: 2,
    begin: (context) => pause(context, leaderOf(context), context.random.between(3_000, 75_000)),
  },
  { name: 'pause at a call', weight: 6, begin: pauseAtCall },
  { name: 'pause after a commit', weight: 2, begin: pauseAfterCommit },
  { name: 'crash at a call', weight: 4, begin: crashAtCall },
  { name: 'crash before a commit', weight: 1, begin: crashBeforeCommit },
  { name: 'silent for about a death', weight: 2, begin: almostDead },
  { name: 'sleep past the expiry of the lease', weight: 2, begin: sleepPastExpiry },
  { name: 'clock step', weight: 2, begin: stepClock },
  {
    name: 'partition of one from the store',
    weight: 4,
    begin: (context) => partition(context, [anyWorker(context)], ['store']),
  },
  {
    name: 'partition of one from all of AWS',
    weight: 2,
    begin: (context) => partition(context, [anyWorker(context)], ['store', 'queue']),
  },
  {
    name: 'store away for everybody',
    weight: 2,
    begin: (context) => partition(context, context.fleet.living(), ['store']),
  },
  {
    name: 'queues away for everybody',
    weight: 1,
    begin: (context) => partition(context, context.fleet.living(), ['queue']),
  },
  { name: 'partition of one from WhatsApp', weight: 2, begin: cutOne },
  { name: 'WhatsApp unreachable', weight: 1, begin: cutAll },
  { name: 'WhatsApp out', weight: 1, begin: whatsAppOut },
  { name: 'late requests', weight: 3, begin: lateRequests },
  { name: 'duplicated requests', weight: 2, begin: duplicatedRequests },
  { name: 'batches taken in part', weight: 2, begin: partlyTaken },
  { name: 'slow network', weight: 1, begin: slowNetwork },
  { name: 'deploy', weight: 2, begin: deploy },
  { name: 'scale out', weight: 2, begin: scaleOut },
  { name: 'scale in', weight: 3, begin: scaleIn },
  { name: 'memory grows', weight: 2, begin: growMemory },
  { name: 'mass death', weight: 1, begin: massDeath },
  { name: 'mass pause', weight: 1, begin: massPause },
  { name: 'hand-offs requested', weight: 2, begin: requestHandOffs },
];

const MOST_WORKERS = 8;

function anyWorker({ fleet, random }: FaultContext): SimulatedWorker | undefined {
  const living = fleet.living();
  return living.length === 0 ? undefined : random.pick(living);
}

function leaderOf(context: FaultContext): SimulatedWorker | undefined {
  const row = context.fleet.aws.dynamoDb.items(`${STAGE}-fleet`).find(({ pk }) => pk === 'LEADER');
  const leader = context.fleet.living().find(({ running }) => running()?.workerId === row?.['leader']);
  return leader ?? anyWorker(context);
}

/** Takes no more, asks to be replaced, or goes by itself; a spike passes, and otherwise it stays so until its end. */
function growMemory(context: FaultContext): number {
  const { fleet, random, say } = context;
  const worker = anyWorker(context);
  if (worker === undefined) return 0;
  const share = random.pick([0.78, 0.85, 0.97]);
  const isSpike = random.chance(0.3);
  say(`${worker.machine.name} uses ${Math.round(share * 100)} % of its memory${isSpike ? ' for a moment' : ''}`);
  worker.setMemoryShare(share);
  if (isSpike) fleet.time.after(random.between(1_000, 25_000), () => worker.setMemoryShare(0.5));
  // Three samples.
  return 60_000;
}

/** The process is gone at once. ECS says so after a while, or never; another task takes its place. */
function crash({ fleet, random, say, generation }: FaultContext, worker: SimulatedWorker | undefined): number {
  if (worker === undefined) return 0;
  const isReported = random.chance(0.5);
  say(`${worker.machine.name} crashes${isReported ? '' : ', and nobody tells'}`);
  worker.machine.kill();
  if (isReported) fleet.time.after(random.between(2_000, 15_000), () => fleet.reportStopped(worker));
  fleet.time.after(random.between(5_000, 40_000), () => void fleet.startWorker(generation.value));
  return 40_000;
}

function pause({ fleet, random, say }: FaultContext, worker: SimulatedWorker | undefined, durationMs: number): number {
  if (worker === undefined) return 0;
  const kind = random.pick(['stopped', 'asleep'] as const);
  say(`${worker.machine.name} is ${kind} for ${Math.round(durationMs / 1_000)} s`);
  fleet.pause(worker, kind);
  fleet.time.after(durationMs, () => worker.machine.resume());
  return durationMs;
}

/** Calls at which it matters most what was checked before. */
const delicateCalls: readonly ((request: unknown) => boolean)[] = [
  () => true,
  (request) => request instanceof PutCommand && request.input.TableName === `${STAGE}-sessions`,
  (request) => (request as Partial<ClientFrame>).kind === 'message',
  (request) => request instanceof UpdateCommand && request.input.TableName === `${STAGE}-fleet`,
  (request) => request instanceof DeleteMessageBatchCommand,
  (request) => request instanceof SendMessageBatchCommand,
];

const isCommit = (request: unknown): boolean =>
  request instanceof PutCommand && request.input.TableName === `${STAGE}-sessions`;

const isCommitOfSend = (request: unknown): boolean =>
  isCommit(request) && String((request as PutCommand).input.Item?.['sk']).endsWith(OUTGOING);

/**
 * Stops while the step of a message is on its way to the store, until others have claimed: it wakes with the answer, and
 * with old permission. One at a time, because others must be there to claim.
 */
function pauseAfterCommit(context: FaultContext): number {
  const { fleet, random, say } = context;
  const worker = anyWorker(context);
  if (worker === undefined || fleet.living().some(({ machine }) => machine.isPaused)) return 0;
  const durationMs = random.between(35_000, 60_000);
  fleet.network.interrupt(worker.machine, {
    matches: isCommitOfSend,
    happen: (leave) => {
      say(`${worker.machine.name} stops while a commit is on its way, for ${Math.round(durationMs / 1_000)} s`);
      leave();
      fleet.pause(worker, 'stopped');
      fleet.time.after(durationMs, () => worker.machine.resume());
    },
  });
  return durationMs + 10_000;
}

/** Dies with a commit that has not left: of anything, or of the step of a message. */
function crashBeforeCommit(context: FaultContext): number {
  const worker = anyWorker(context);
  if (worker === undefined) return 0;
  const matches = context.random.pick([isCommit, isCommitOfSend]);
  context.fleet.network.interrupt(worker.machine, { matches, happen: () => void crash(context, worker) });
  return 60_000;
}

/** Stops between having made a call and its leaving, or just after: what was checked before is old when it goes on. */
function pauseAtCall(context: FaultContext): number {
  const { fleet, random, say } = context;
  const worker = anyWorker(context);
  if (worker === undefined) return 0;
  const durationMs = random.between(10_000, 70_000);
  const kind = random.pick(['stopped', 'asleep'] as const);
  const leavesFirst = random.chance(0.5);
  fleet.network.interrupt(worker.machine, {
    matches: random.pick(delicateCalls),
    happen: (leave) => {
      say(
        `${worker.machine.name} is ${kind} ${leavesFirst ? 'after' : 'before'} a call, for ${Math.round(durationMs / 1_000)} s`,
      );
      if (leavesFirst) leave();
      fleet.pause(worker, kind);
      fleet.time.after(durationMs, () => {
        if (!leavesFirst) leave();
        worker.machine.resume();
      });
    },
  });
  return durationMs + 5_000;
}

/** Dies between having made a call and its leaving, or just after. */
function crashAtCall(context: FaultContext): number {
  const { fleet, random } = context;
  const worker = anyWorker(context);
  if (worker === undefined) return 0;
  const leavesFirst = random.chance(0.5);
  fleet.network.interrupt(worker.machine, {
    matches: random.pick(delicateCalls),
    happen: (leave) => {
      if (leavesFirst) leave();
      crash(context, worker);
    },
  });
  return 60_000;
}

/** Silent for about as long as a death takes, while sentences are late: one of them and a heartbeat meet each other. */
function almostDead(context: FaultContext): number {
  const { fleet, random, say } = context;
  const machine = anyWorker(context)?.machine;
  if (machine === undefined) return 0;
  const durationMs = random.between(26_000, 30_000);
  say(`the store does not hear ${machine.name} for ${Math.round(durationMs / 1_000)} s, and deaths are written late`);
  fleet.network.setFault(machine, 'store', 'deaf');
  fleet.time.after(durationMs, () => fleet.network.setFault(machine, 'store', undefined));
  const others = fleet.living().filter((other) => other.machine !== machine);
  for (const other of others) {
    fleet.network.interrupt(other.machine, {
      matches: (request) =>
        request instanceof UpdateCommand &&
        request.input.ConditionExpression?.includes('state') === true &&
        request.input.UpdateExpression?.includes('proof') === true,
      isLasting: true,
      happen: (leave) => void fleet.time.after(random.between(1_000, 9_000), leave),
    });
    fleet.time.after(45_000, () => fleet.network.interrupt(other.machine, undefined));
  }
  return 60_000;
}

/** Makes a worker sleep for so long that its dead lease has expired when it wakes. */
function sleepPastExpiry(context: FaultContext): number {
  const { fleet, say } = context;
  const worker = anyWorker(context);
  const workerId = worker?.running()?.workerId;
  if (worker === undefined || workerId === undefined) return 0;
  const durationMs = pause(context, worker, context.random.between(120_000, 150_000));
  fleet.time.after(durationMs - 1_000, () => {
    const key = leaseKey(worker.taskId, workerId);
    const isDead = fleet.aws.dynamoDb
      .items(`${STAGE}-fleet`)
      .some(({ sk, state }) => sk === key.sk && state === 'DEAD');
    if (!isDead) return;
    say(`the dead lease of ${worker.machine.name} expires`);
    fleet.aws.dynamoDb.remove(`${STAGE}-fleet`, { ...key });
  });
  return durationMs;
}

function stepClock(context: FaultContext): number {
  const worker = anyWorker(context);
  const byMs = context.random.between(-3_600_000, 3_600_000);
  context.say(`the wall clock of ${worker?.machine.name} is set by ${Math.round(byMs / 1_000)} s`);
  worker?.machine.stepWallClock(byMs);
  return 0;
}

function partition(
  { fleet, random, say }: FaultContext,
  workers: readonly (SimulatedWorker | undefined)[],
  services: readonly ServiceName[],
): number {
  const durationMs = random.between(3_000, 75_000);
  const fault: LinkFault = random.pick(['deaf', 'mute', 'refused', 'throttled'] as const);
  const machines = workers.flatMap((worker) => (worker === undefined ? [] : [worker.machine]));
  say(
    `${services.join(' and ')} ${fault} for ${machines.map(({ name }) => name).join()}, ${Math.round(durationMs / 1_000)} s`,
  );
  const set = (value: LinkFault | undefined): void => {
    for (const machine of machines) for (const service of services) fleet.network.setFault(machine, service, value);
  };
  set(fault);
  fleet.time.after(durationMs, () => set(undefined));
  return durationMs;
}

function cutOne(context: FaultContext): number {
  const { fleet, random, say } = context;
  const machine = anyWorker(context)?.machine;
  if (machine === undefined) return 0;
  const durationMs = random.between(3_000, 75_000);
  say(`${machine.name} does not reach WhatsApp for ${Math.round(durationMs / 1_000)} s`);
  fleet.cutFromWhatsApp.add(machine);
  fleet.time.after(durationMs, () => fleet.cutFromWhatsApp.delete(machine));
  return durationMs;
}

function cutAll({ fleet, random, say }: FaultContext): number {
  const durationMs = random.between(3_000, 75_000);
  say(`WhatsApp is not reached for ${Math.round(durationMs / 1_000)} s`);
  fleet.isWhatsAppCut = true;
  fleet.time.after(durationMs, () => {
    fleet.isWhatsAppCut = false;
  });
  return durationMs;
}

function whatsAppOut({ fleet, random, say }: FaultContext): number {
  const durationMs = random.between(3_000, 60_000);
  say(`WhatsApp refuses logins for ${Math.round(durationMs / 1_000)} s`);
  fleet.whatsApp.isOut = true;
  fleet.time.after(durationMs, () => {
    fleet.whatsApp.isOut = false;
  });
  return durationMs;
}

function lateRequests({ fleet, random, say }: FaultContext): number {
  const late = { share: random.between(0.02, 0.2), upToMs: random.pick([3_000, 12_000, 60_000]) };
  return weather({ fleet, random, say }, { late }, `requests late by up to ${late.upToMs / 1_000} s`);
}

function duplicatedRequests({ fleet, random, say }: FaultContext): number {
  return weather({ fleet, random, say }, { duplicated: 0.2 }, 'requests arrive twice');
}

/** SQS takes some entries of a batch call and fails the others. */
function partlyTaken({ fleet, random, say }: FaultContext): number {
  return weather({ fleet, random, say }, { failedEntries: random.between(0.1, 0.6) }, 'batches are taken in part');
}

function slowNetwork({ fleet, random, say }: FaultContext): number {
  return weather({ fleet, random, say }, { latencyMs: [50, 1_200] }, 'a slow network');
}

function weather(
  { fleet, random, say }: Pick<FaultContext, 'fleet' | 'random' | 'say'>,
  change: Partial<typeof fairWeather>,
  what: string,
): number {
  const durationMs = random.between(10_000, 60_000);
  say(`${what}, for ${Math.round(durationMs / 1_000)} s`);
  fleet.network.weather = { ...fleet.network.weather, ...change };
  fleet.time.after(durationMs, () => {
    fleet.network.weather = fairWeather;
  });
  return durationMs;
}

/** Every worker is replaced by one of the next generation: a new one comes, then an old one is asked to stop. */
function deploy({ fleet, random, say, generation }: FaultContext): number {
  generation.value += 1;
  const old = fleet.living().filter((worker) => worker.generation < generation.value);
  const everyMs = random.between(4_000, 20_000);
  say(`deploy of generation ${generation.value}`);
  for (const [index, worker] of old.entries()) {
    fleet.time.after(index * everyMs, () => void fleet.startWorker(generation.value));
    fleet.time.after(index * everyMs + 10_000, () => worker.terminate());
  }
  return old.length * everyMs + 110_000;
}

function scaleOut({ fleet, random, generation }: FaultContext): number {
  const room = MOST_WORKERS - fleet.living().length;
  for (let count = random.integer(1, 3); count > 0 && room >= count; count -= 1) fleet.startWorker(generation.value);
  return 10_000;
}

function scaleIn(context: FaultContext): number {
  const { fleet, say } = context;
  const worker = anyWorker(context);
  if (fleet.living().length < 2 || worker === undefined) return 0;
  say(`${worker.machine.name} is asked to stop`);
  worker.terminate();
  return 110_000;
}

/** The watchdog wants shards away from their owner, whatever is wrong there, and some time later does not any more. */
function requestHandOffs(context: FaultContext): number {
  const { fleet, random, say } = context;
  const worker = anyWorker(context);
  const workerId = worker?.running()?.workerId;
  if (worker === undefined || workerId === undefined) return 0;
  const requests = fleet.aws.dynamoDb
    .items(`${STAGE}-fleet`)
    .filter(({ pk, owner }) => String(pk).startsWith('SHARD#') && owner === workerId && random.chance(0.5))
    .map(({ pk, epoch }) => ({ shard: Number(String(pk).slice('SHARD#'.length)), epoch: Number(epoch) }));
  const durationMs = random.between(20_000, 120_000);
  say(`the watchdog wants ${requests.length} shards away from ${worker.machine.name}`);
  fleet.requestHandOffs(worker, workerId, requests);
  fleet.time.after(durationMs, () => fleet.requestHandOffs(worker, workerId, []));
  return durationMs;
}

function massDeath(context: FaultContext): number {
  const victims = context.fleet.living().slice(0, Math.max(1, context.fleet.living().length - 1));
  return Math.max(0, ...victims.map((worker) => crash(context, worker)));
}

function massPause(context: FaultContext): number {
  const durationMs = context.random.between(10_000, 60_000);
  return Math.max(0, ...context.fleet.living().map((worker) => pause(context, worker, durationMs)));
}

/** Draws one, by weight. @param names the only ones to draw from; all if left out */
export function drawFault(random: SeededRandom, names?: readonly string[]): Fault {
  const drawn = faults.filter(({ name }) => names === undefined || names.includes(name));
  let left = random.unit() * drawn.reduce((sum, { weight }) => sum + weight, 0);
  for (const fault of drawn) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  throw new Error('there are no faults to draw from');
}
