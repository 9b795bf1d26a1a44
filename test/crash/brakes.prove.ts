import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { playBrake, type BrakeRun, type BrakingCode } from './brakes.ts';
import { moments } from './portWatch.ts';
import { Site } from './site.ts';

/** Runs side by side; most of one is waiting. */
const WIDTH = 2;

describe('a worker process that is killed after WhatsApp has refused a message', () => {
  let site: Site;
  beforeAll(async () => {
    silenceConsole();
    site = await Site.start('process', WIDTH);
  });
  afterAll(() => site.stop());

  const promised = (run: BrakeRun, code: BrakingCode): void => {
    expect(run.held).toBe('parked');
    expect(run.shown).toBe(0);
    expect(run.told.size).toBe(1);
    expect(run.ends.size).toBeLessThanOrEqual(1);
    // Once more under its id, and no other: the one that is held never left.
    if (code !== 429) expect(run.refusals).toBeLessThanOrEqual(2);
  };

  // What they share is seen at each call of the first one.
  it.each<readonly [BrakingCode, RegExp]>([
    [463, /^(store|queue|socket)/],
    [475, /^(store Update CON|queue Send)/],
    [429, /^(store Update CON|queue Send)/],
  ])('with %i writes to nobody else, at whichever call it dies, and the tenant is told once', async (code, watched) => {
    const recorded = await playBrake(site, code);
    promised(recorded, code);
    const from = (recorded.calls ?? []).findIndex((call) => call.startsWith('socket write message'));
    const calls = (recorded.calls ?? []).slice(from).filter((call) => watched.test(call));
    const points = calls.flatMap((call) => moments.map((when) => ({ call, when })));
    expect(from).toBeGreaterThanOrEqual(0);
    let died = 0;
    const entries = points.values();
    const lane = async (): Promise<void> => {
      for (const plan of entries) {
        const run = await playBrake(site, code, plan).catch((error: unknown) => {
          throw new Error(`${plan.when} ${plan.call}`, { cause: error });
        });
        died += run.calls === undefined ? 1 : 0;
        promised(run, code);
      }
    };
    await Promise.all(Array.from({ length: WIDTH }, lane));

    process.stdout.write(`${code}: killed at ${died} of ${points.length} points: ${calls.join(', ')}\n`);
    expect(died).toBeGreaterThan(points.length / 2);
  });
});
