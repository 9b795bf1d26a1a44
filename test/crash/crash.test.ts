import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { holds, playAll } from './campaign.ts';
import { harmful } from './harmful.ts';
import type { Point } from './points.ts';
import { scenarios } from './scenarios.ts';
import { Site } from './site.ts';
import { complaint } from './table.ts';

const WIDTH = 2;

/** Where a crash would be seen by people: around what is published, committed and written. `crash.prove.ts` plays each kind of call. */
const telling: readonly Point[] = [
  { scenario: 'receive-steady', plan: { call: 'queue SendMessageBatch events#2', when: 'after' } },
  { scenario: 'send-steady', plan: { call: 'socket write message#2', when: 'after' } },
];

describe('a worker that dies', () => {
  let site: Site;
  beforeAll(async () => {
    silenceConsole();
    site = await Site.start('thread', WIDTH);
  });
  afterAll(() => site.stop());

  it('around what it publishes, commits and writes: nothing is lost or shown twice, every message can be read', async () => {
    const points = [...harmful, ...telling];

    const results = await playAll(site, scenarios, points, WIDTH);

    expect(results.filter((result) => !holds(result)).map(complaint)).toEqual([]);
    // Chance decides which call comes when: one point may be missed, as in a proof one in ten.
    expect(results.filter(({ run }) => run?.outcome === 'crashed').length).toBeGreaterThanOrEqual(points.length - 1);
  });
});
