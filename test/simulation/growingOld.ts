import { prepareScriptedWorld } from './scriptedWorld.ts';
import { STAGE } from './simulatedAws.ts';
import { judgeWorld, settleWorld, toResult, type SimulationResult } from './simulate.ts';

const MAX_AGE_MS = 10 * 60_000;
const DURATION_MS = 35 * 60_000;
const MESSAGES_EVERY_MS = 5_000;
const SHARDS = 4;
const WORKERS = 3;
const LOOK_EVERY_MS = 500;

export interface GrowingOldResult extends SimulationResult {
  readonly recycled: readonly string[];
  /** Most workers that drained at the same time. */
  readonly mostDraining: number;
  /** Fewest workers beside one that drained. */
  readonly fewestBeside: number;
}

/** Workers that all started together and become too old one after the other, while tenants send and contacts write. */
export async function simulateGrowingOld(seed: number): Promise<GrowingOldResult> {
  const options = { shardCount: SHARDS, connections: 8, maxAgeMs: MAX_AGE_MS };
  const { world, random, timeline } = await prepareScriptedWorld(seed, options);
  for (let count = 0; count < WORKERS; count += 1) world.startWorker(1);
  const startMs = world.time.nowMs;
  const isOver = (): boolean => world.time.nowMs - startMs > DURATION_MS;
  let messages = 0;
  const talk = (): void => {
    if (isOver()) return;
    messages += 1;
    const connection = random.pick(world.connections);
    world.send(connection, `message ${messages}`);
    world.write(random.pick(world.connections), `in-${messages}`);
    world.time.after(MESSAGES_EVERY_MS, talk);
  };
  world.time.after(30_000, talk);
  let mostDraining = 0;
  let fewestBeside = WORKERS;
  const look = (): void => {
    if (isOver()) return;
    const states = world.aws.dynamoDb
      .items(`${STAGE}-fleet`)
      .flatMap(({ pk, state }) => (String(pk).startsWith('LEASE#') ? [state] : []));
    const draining = states.filter((state) => state === 'DRAINING').length;
    mostDraining = Math.max(mostDraining, draining);
    if (draining > 0) fewestBeside = Math.min(fewestBeside, states.filter((state) => state === 'ALIVE').length);
    world.time.after(LOOK_EVERY_MS, look);
  };
  look();
  await world.time.run(startMs + DURATION_MS);
  await settleWorld(world, SHARDS, () => false);
  judgeWorld(world, SHARDS);
  return {
    ...toResult(world, { seed, startMs, names: [], timeline }),
    recycled: world.recycled,
    mostDraining,
    fewestBeside,
  };
}
