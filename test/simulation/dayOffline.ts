import { prepareScriptedWorld } from './scriptedWorld.ts';
import { judgeWorld, settleWorld, toResult, type SimulationResult } from './simulate.ts';

const DAY_MS = 24 * 3_600_000;
const HAND_OFFS = 20;
const DEPLOYS = 12;
const MESSAGES_EVERY_MS = 10 * 60_000;
const SHARDS = 2;
const WORKERS = 2;

/**
 * A day on which WhatsApp takes no login, while tenants send and the fleet goes through hand-offs and deploys. Commands
 * must wait as rows and not as messages of a queue, or they would be received until they are dead letters.
 */
export async function simulateDayOffline(seed: number): Promise<SimulationResult> {
  const isStep = (step: string): boolean => /FAULT|starts|exits|given|released|claimed/.test(step);
  const { world, timeline, say } = await prepareScriptedWorld(seed, { shardCount: SHARDS, connections: 4 }, isStep);
  world.whatsApp.isOut = true;
  let generation = 1;
  for (let count = 0; count < WORKERS; count += 1) world.startWorker(generation);
  const startMs = world.time.nowMs;
  let messages = 0;
  const send = (): void => {
    if (world.time.nowMs - startMs > DAY_MS) return;
    messages += 1;
    for (const connection of world.connections)
      world.send(connection, `message ${messages} of ${connection.connectionId}`);
    world.time.after(MESSAGES_EVERY_MS, send);
  };
  world.time.after(60_000, send);
  for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
    world.time.after(((deploy + 0.5) * DAY_MS) / DEPLOYS, () => {
      generation += 1;
      say('FAULT', `deploy of generation ${generation}`);
      const old = world.living();
      for (const _ of old) world.startWorker(generation);
      for (const [index, worker] of old.entries()) world.time.after(30_000 * (index + 1), worker.terminate);
    });
  }
  for (let handOff = 0; handOff < HAND_OFFS; handOff += 1) {
    world.time.after(((handOff + 0.25) * DAY_MS) / HAND_OFFS, () => {
      const [first] = world.living();
      say('FAULT', `hand-off: ${first?.machine.name} is asked to stop`);
      world.startWorker(generation);
      world.time.after(30_000, () => first?.terminate());
    });
  }
  await world.time.run(startMs + DAY_MS);
  world.whatsApp.isOut = false;
  await settleWorld(world, SHARDS, () => false);
  judgeWorld(world, SHARDS);
  return toResult(world, {
    seed,
    startMs,
    names: Array<string>(HAND_OFFS + DEPLOYS).fill('hand-off or deploy'),
    timeline,
  });
}
