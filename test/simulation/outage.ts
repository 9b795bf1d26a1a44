import { prepareScriptedWorld } from './scriptedWorld.ts';
import { STAGE } from './simulatedAws.ts';
import { judgeWorld, settleWorld, toResult, type SimulationResult } from './simulate.ts';
import { SHARD_CAP, type SimulatedFleet } from './simulatedFleet.ts';

const SHARDS = 15;
const WORKERS = 3;
const OUT_AFTER_MS = 3 * 60_000;
const OUT_FOR_MS = 2 * 60_000;
const MESSAGES_EVERY_MS = 500;
const LOOK_EVERY_MS = 250;

export interface OutageResult extends SimulationResult {
  readonly workers: number;
  /** Whether nobody was told of an outage before there was one. */
  readonly isNormalBefore: boolean;
  /**
   * The times from its begin until every worker was told, and from its end until none was told of it any more, in
   * milliseconds.
   */
  readonly toldAfterMs: number | undefined;
  readonly calledOffAfterMs: number | undefined;
  /** The time from the end until every connection was online. */
  readonly backAfterMs: number | undefined;
  /** Logins that were tried while every worker had been told, and for how long that was. */
  readonly canaries: { readonly logins: number; readonly ms: number };
}

/** Two minutes in which WhatsApp cuts everybody off and takes no login, while tenants send and contacts write. */
export async function simulateOutage(seed: number): Promise<OutageResult> {
  const options = { shardCount: SHARDS, connections: SHARDS * SHARD_CAP };
  const { world, random, timeline, say } = await prepareScriptedWorld(seed, options);
  for (let count = 0; count < WORKERS; count += 1) world.startWorker(1);
  const startMs = world.time.nowMs;
  const outAtMs = startMs + OUT_AFTER_MS;
  const overAtMs = outAtMs + OUT_FOR_MS;
  let messages = 0;
  const talk = (): void => {
    if (world.time.nowMs > overAtMs) return;
    messages += 1;
    world.send(random.pick(world.connections), `message ${messages}`);
    world.write(random.pick(world.connections), `in-${messages}`);
    world.time.after(MESSAGES_EVERY_MS, talk);
  };
  world.time.after(OUT_AFTER_MS / 2, talk);
  world.time.after(OUT_AFTER_MS, () => {
    say('FAULT', 'WhatsApp is out');
    world.whatsApp.goOut();
  });
  world.time.after(OUT_AFTER_MS + OUT_FOR_MS, () => {
    say('FAULT', 'WhatsApp is back');
    world.whatsApp.isOut = false;
  });

  let isNormalBefore = true;
  let toldAtMs: number | undefined;
  let calledOffAtMs: number | undefined;
  let backAtMs: number | undefined;
  const look = (): void => {
    const nowMs = world.time.nowMs;
    const told = toldOfOutage(world);
    if (nowMs < outAtMs) isNormalBefore &&= told === 0;
    else if (nowMs < overAtMs) toldAtMs ??= told === WORKERS ? nowMs : undefined;
    else {
      calledOffAtMs ??= told === 0 ? nowMs : undefined;
      backAtMs ??= world.connections.every(({ connectionId }) => world.whatsApp.isOnline(connectionId))
        ? nowMs
        : undefined;
    }
    world.time.after(LOOK_EVERY_MS, look);
  };
  look();
  await world.time.run(overAtMs);
  await settleWorld(world, SHARDS, () => false);
  judgeWorld(world, SHARDS);

  const fromMs = toldAtMs ?? overAtMs;
  const logins = world.whatsApp.logins.filter(({ issuedAtMs }) => issuedAtMs > fromMs && issuedAtMs <= overAtMs);
  const since = (ms: number, atMs: number | undefined): number | undefined =>
    atMs === undefined ? undefined : atMs - ms;
  return {
    ...toResult(world, { seed, startMs, names: ['outage'], timeline }),
    workers: WORKERS,
    isNormalBefore,
    toldAfterMs: since(outAtMs, toldAtMs),
    calledOffAfterMs: since(overAtMs, calledOffAtMs),
    backAfterMs: since(overAtMs, backAtMs),
    canaries: { logins: logins.length, ms: overAtMs - fromMs },
  };
}

/** How many workers have been told of an outage by the leader, as their leases say. */
function toldOfOutage(world: SimulatedFleet): number {
  return world.aws.dynamoDb
    .items(`${STAGE}-fleet`)
    .filter(({ orders }) => (orders as { readonly mode?: string } | undefined)?.mode === 'outage').length;
}
