import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nameOf, plansOf } from './acceptKills.ts';
import { FileKills, ways } from './fileKills.ts';

const ALL_MS = 900_000;

describe('a process of the media function that is killed', () => {
  let kills: FileKills;
  beforeAll(async () => {
    kills = await FileKills.start();
  }, ALL_MS);
  afterAll(() => kills.stop(), ALL_MS);

  it.each(ways)(
    'before and after each call for a file %s: the next one brings it to its end, once, and leaves nothing',
    async (way) => {
      const calls = await kills.record(way);
      const problems: string[] = [];
      for (const plan of plansOf(calls)) {
        const outcome = await kills.play(way, plan);
        if (!outcome.isDead) problems.push(`${nameOf(plan)}: it did not die`);
        problems.push(...outcome.problems.map((problem) => `${nameOf(plan)}: ${problem}`));
      }
      process.stdout.write(`${way}: ${calls.length} calls\n`);

      expect(problems).toEqual([]);
      expect(calls.length).toBeGreaterThanOrEqual(8);
    },
    ALL_MS,
  );

  it(
    'leaves nothing half in the store after a day, and takes nothing whole',
    async () => {
      const media = await kills.world.aMessageFile(Buffer.from('whole'));
      expect(kills.world.openUploads()).toBeGreaterThan(0);
      const key = `${media.tenantId}/whole`;
      const signal = new AbortController().signal;
      await kills.world.objects().write(key, someBytes(), { contentType: 'x/y' }, signal);

      await kills.world.afterADay();

      await expect.poll(() => kills.world.openUploads(), { timeout: 120_000 }).toBe(0);
      expect(await kills.world.hashOf(key)).toBeDefined();
    },
    ALL_MS,
  );
});

async function* someBytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('whole');
}
