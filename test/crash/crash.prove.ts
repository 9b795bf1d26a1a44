import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { holds, playAll, record } from './campaign.ts';
import { harmful } from './harmful.ts';
import { samplePoints } from './points.ts';
import { Stage } from './runCrash.ts';
import { scenarios } from './scenarios.ts';
import { Site } from './site.ts';
import { complaint } from './table.ts';

/** Accounts that are used side by side; most of a crash is waiting. */
const WIDTH = 4;
/** A sample that misses more than this share of its points shows too little. */
const LEAST_CRASHED = 0.9;

describe('a worker that dies, in every scenario', () => {
  let site: Site;
  const recordings = new Map<string, readonly string[]>();
  beforeAll(async () => {
    silenceConsole();
    site = await Site.start('thread', WIDTH);
  });
  afterAll(() => site.stop());

  it('has nothing to do with harm that would be done anyway: without a crash every scenario holds', async () => {
    const stages = [new Stage(site), new Stage(site)];

    // Each takes the next scenario when it is done with its last.
    const entries = scenarios.values();
    const recordOn = async (stage: Stage): Promise<void> => {
      for (const scenario of entries) recordings.set(scenario.name, await record(stage, scenario, 1));
      await stage.stop();
    };
    await Promise.all(stages.map(recordOn));

    expect([...recordings].filter(([, calls]) => calls.length === 0)).toEqual([]);
    expect(recordings.size).toBe(scenarios.length);
  });

  it('before and after each kind of call: nothing is lost or shown twice, every message can be read', async () => {
    const points = [...harmful, ...samplePoints(recordings)];

    const results = await playAll(site, scenarios, points, WIDTH);

    expect(results.filter((result) => !holds(result)).map(complaint)).toEqual([]);
    const crashed = results.filter(({ run }) => run?.outcome === 'crashed');
    expect(crashed.length).toBeGreaterThan(points.length * LEAST_CRASHED);
  });
});
