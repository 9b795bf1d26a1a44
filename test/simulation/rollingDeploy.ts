import type { ConnectionId, WorkerId } from '../../shared/kernel/id.ts';
import { EcsService, type ServiceNumbers } from './ecsService.ts';
import { prepareScriptedWorld } from './scriptedWorld.ts';
import { judgeWorld, settleWorld, toResult, type SimulationResult } from './simulate.ts';

/** What the template of a shape says. */
export interface DeployedShape extends ServiceNumbers {
  readonly shardCount: number;
}

export interface RollingDeployResult extends SimulationResult {
  readonly tookMs: number;
  readonly killed: readonly string[];
  readonly longestStopMs: number;
  readonly fewestHealthy: number;
  readonly mostRunning: number;
  /** Generations of the owners of each shard, from before the deploy to after it. */
  readonly owners: readonly (readonly number[])[];
  /** How often each connection logged in during the deploy and after it. */
  readonly logins: readonly number[];
  /** The longest that a connection had no socket. */
  readonly longestOfflineMs: number;
  /** The longest that a shard had no living owner. */
  readonly longestOwnerlessMs: number;
  /** The most logins within ten seconds during the deploy. */
  readonly mostLogins: number;
}

export interface RollingDeployOptions {
  readonly seed: number;
  readonly shape: DeployedShape;
  readonly connections: number;
  readonly stoppingCounts: boolean;
  /** Whether tasks can protect themselves. */
  readonly protection: 'works' | 'fails';
  /** Opens a second of all workers together, in the proportion of {@link OPENS_PER_SECOND}. */
  readonly fleetOpensPerSecond: number;
  /** Messages of tenants and contacts, one of each in this time. */
  readonly messagesEveryMs: number;
}

const SETTLED_MS = 120_000;
/** After the deploy: more than one round of evening out. */
const AFTER_MS = 180_000;
const LONGEST_MS = 3 * 3_600_000;
const LOOK_EVERY_MS = 250;
export const LOGINS_WITHIN_MS = 10_000;

/** A stage of a shape under traffic, and one deploy of another revision, as ECS rolls it out. */
export async function simulateRollingDeploy(options: RollingDeployOptions): Promise<RollingDeployResult> {
  const { seed, shape, connections, stoppingCounts, messagesEveryMs, protection, fleetOpensPerSecond } = options;
  const { shardCount } = shape;
  const { world, random, timeline } = await prepareScriptedWorld(
    seed,
    { shardCount, connections, opensPerSecond: OPENS_PER_SECOND, fleetOpensPerSecond, protection },
    (step) => /drain|exits|starts/.test(step),
  );
  const service = new EcsService(world, random.fork(), shape, stoppingCounts);
  const startMs = world.time.nowMs;
  service.deploy(1);
  await world.time.run(startMs + SETTLED_MS);
  const owners = Array.from({ length: shardCount }, () => [1]);
  const generationOf = (owner: WorkerId): number =>
    world.workers.find(({ running }) => running()?.workerId === owner)?.generation ?? -1;
  world.aws.dynamoDb.watch(({ tableName, before, after }) => {
    const [, shard] = /^SHARD#(\d+)$/.exec(String(after?.['pk'])) ?? [];
    if (!tableName.endsWith('-fleet') || shard === undefined || before?.['epoch'] === after?.['epoch']) return;
    const owner = after?.['owner'] as WorkerId | undefined;
    owners[Number(shard)]?.push(owner === undefined ? 0 : generationOf(owner));
  });
  const deployedAtMs = world.time.nowMs;
  let isOver = false;
  let count = 0;
  const talk = (): void => {
    if (isOver) return;
    count += 1;
    world.send(random.pick(world.connections), `message ${count}`);
    world.write(random.pick(world.connections), `in-${count}`);
    world.time.after(messagesEveryMs, talk);
  };
  talk();
  const gaps = watchGaps(
    () => world.time.nowMs,
    (run) => world.time.after(LOOK_EVERY_MS, () => !isOver && run()),
    {
      offline: world.connections.map(
        ({ connectionId }) =>
          () =>
            world.whatsApp.isOnline(connectionId),
      ),
      ownerless: owners.map((_, shard) => () => world.isOwnedByTheLiving(shard)),
    },
  );
  service.deploy(2);
  await world.time.run(deployedAtMs + LONGEST_MS, () => service.isSteady());
  const tookMs = world.time.nowMs - deployedAtMs;
  await world.time.run(world.time.nowMs + AFTER_MS);
  isOver = true;
  await settleWorld(world, shardCount, () => false);
  judgeWorld(world, shardCount);
  const loginsOf = (connectionId: ConnectionId): number =>
    world.whatsApp.logins.filter((login) => login.connectionId === connectionId && login.issuedAtMs > deployedAtMs)
      .length;
  return {
    ...toResult(world, { seed, startMs, names: [], timeline }),
    tookMs,
    killed: service.killed,
    longestStopMs: service.longestStopMs,
    fewestHealthy: service.fewestHealthy,
    mostRunning: service.mostRunning,
    owners,
    logins: world.connections.map(({ connectionId }) => loginsOf(connectionId)),
    longestOfflineMs: gaps.offline,
    longestOwnerlessMs: gaps.ownerless,
    mostLogins: mostWithin(
      LOGINS_WITHIN_MS,
      world.whatsApp.logins.map(({ issuedAtMs }) => issuedAtMs).filter((atMs) => atMs > deployedAtMs),
    ),
  };
}

/** Two connections stand for a shard of fifty, and one open a second for the 25 of production: a shard takes as long. */
export const OPENS_PER_SECOND = 1;

/** The most of these moments that lie within a time. */
function mostWithin(ms: number, moments: readonly number[]): number {
  const sorted = [...moments].sort((left, right) => left - right);
  let first = 0;
  return sorted.reduce((most, moment, index) => {
    while (moment - (sorted[first] ?? moment) > ms) first += 1;
    return Math.max(most, index - first + 1);
  }, 0);
}

/** Watches whether things hold, and keeps for each kind the longest time that one of them did not. */
function watchGaps<Kind extends string>(
  nowMs: () => number,
  next: (run: () => void) => void,
  kinds: Readonly<Record<Kind, readonly (() => boolean)[]>>,
): Readonly<Record<Kind, number>> {
  const longest = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0])) as Record<Kind, number>;
  const since = new Map<() => boolean, number>();
  const look = (): void => {
    for (const kind of Object.keys(kinds) as Kind[]) {
      for (const holds of kinds[kind]) {
        if (holds()) since.delete(holds);
        else {
          const fromMs = since.get(holds) ?? nowMs();
          since.set(holds, fromMs);
          longest[kind] = Math.max(longest[kind], nowMs() - fromMs);
        }
      }
    }
    next(look);
  };
  look();
  return longest;
}
