import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { holds, playAll, record } from './campaign.ts';
import { samplePoints, type Point } from './points.ts';
import { Stage } from './runCrash.ts';
import { scenarios } from './scenarios.ts';
import { Site } from './site.ts';
import { complaint } from './table.ts';

/** Accounts that are used side by side; most of a crash is waiting. */
const WIDTH = 4;

/** What did harm once. Each stays here for good, beside what the sample happens to choose. */
const harmful: readonly Point[] = [
  // The step of the session was durable and the sender key that it brought was not.
  { scenario: 'receive-group-first', plan: { call: 'store Put SIGNAL#1', when: 'after' } },
];

describe('a worker that dies', () => {
  let site: Site;
  const recordings = new Map<string, readonly string[]>();
  beforeAll(async () => {
    silenceConsole();
    site = await Site.start('thread', WIDTH);
  });
  afterAll(() => site.stop());

  it('is not needed for any harm: every scenario holds without a crash', async () => {
    const stage = new Stage(site);

    for (const scenario of scenarios) recordings.set(scenario.name, await record(stage, scenario));
    await stage.stop();

    expect([...recordings].filter(([, calls]) => calls.length === 0)).toEqual([]);
  }, 60_000);

  it('before or after each class of call loses nothing, repeats nothing and uses no key twice', async () => {
    const points = [...harmful, ...samplePoints(recordings)];

    const results = await playAll(site, scenarios, points, WIDTH);

    expect(results.filter((result) => !holds(result)).map(complaint)).toEqual([]);
    const crashed = results.filter(({ run }) => run?.outcome === 'crashed');
    expect(crashed.length).toBeGreaterThan(points.length * 0.9);
  }, 180_000);
});
