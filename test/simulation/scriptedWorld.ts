import { makeSeededRandom, type SeededRandom } from './seededRandom.ts';
import { SimulatedFleet, type FleetOptions } from './simulatedFleet.ts';
import { correct } from './variants.ts';

export interface ScriptedWorld {
  readonly world: SimulatedFleet;
  readonly random: SeededRandom;
  /** What happened so far, line by line. */
  readonly timeline: string[];
  readonly say: (who: string, what: string) => void;
}

/**
 * A world whose connections are made and whose script is written by the caller, on the correct protocol.
 * @param isTold which steps are worth a line of the timeline; all if left out
 */
export async function prepareScriptedWorld(
  seed: number,
  options: Omit<FleetOptions, 'random' | 'variant' | 'say'>,
  isTold: (step: string) => boolean = () => true,
): Promise<ScriptedWorld> {
  const random = makeSeededRandom(seed);
  const timeline: string[] = [];
  let nowMs = (): number => 0;
  const say = (who: string, what: string): void => {
    if (isTold(`${who} ${what}`))
      timeline.push(`${(nowMs() / 1_000).toFixed(3).padStart(9)}  ${who.padEnd(10)} ${what}`);
  };
  const world = new SimulatedFleet({ ...options, random: random.fork(), variant: correct, say });
  nowMs = () => world.time.nowMs;
  await world.prepare();
  return { world, random, timeline, say };
}
