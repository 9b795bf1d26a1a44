import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prepared } from '../../../../functions/media/prepare/prepareFile.ts';
import { ffmpegHere, Preparing } from './preparing.ts';
import { hostileFiles, type HostileFile } from './hostileFiles.ts';

/** What the process that asks may take more than before, in bytes; each converter has 640 MB of its own. */
const MOST_GROWTH = 200 * 1_024 * 1_024;

const outcomeOf = (prepared: Prepared): string => {
  if ('refused' in prepared) return prepared.refused;
  return prepared.prepared.isConverted ? 'converted' : 'passes';
};

/** Prepares files side by side, as two functions would. */
async function prepareAll(
  files: readonly HostileFile[],
  places: readonly Preparing[],
): Promise<ReadonlyMap<string, string>> {
  const outcomes = new Map<string, string>();
  const queue = [...files];
  await Promise.all(
    places.map(async (place) => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        const [name, as, bytes] = file;
        const prepared = await place.prepare(bytes, as);
        outcomes.set(name, outcomeOf(prepared));
        place.objects.kept.clear();
      }
    }),
  );
  return outcomes;
}

describe('files that nobody should send', () => {
  let files: readonly HostileFile[] = [];
  const places = [new Preparing({ ffmpeg: 'none' }), new Preparing({ ffmpeg: 'none' })];
  beforeAll(async () => {
    files = await hostileFiles();
  });
  afterAll(() => places.forEach((place) => place.stop()));

  it('are each converted, or pass, or are refused with their code; nothing breaks down, swells or is left', async () => {
    const before = process.memoryUsage.rss();

    const outcomes = await prepareAll(files, places);

    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(files.map(([name, , , expected]) => [name, expected])),
    );
    expect(files.length).toBeGreaterThanOrEqual(60);
    expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_GROWTH);
    expect(places.flatMap((place) => place.left())).toEqual([]);
    expect(places.flatMap(({ logged }) => logged).filter((line) => line.includes('broke down'))).toEqual([]);
  });

  it.skipIf(ffmpegHere === undefined)('are bounded where ffmpeg opens them, too (apt install ffmpeg)', async () => {
    const withFfmpeg = [new Preparing()];
    const some = files.filter(([, , , expected]) => expected === 'needs_ffmpeg');

    const outcomes = await prepareAll(some, withFfmpeg);

    expect(Object.fromEntries(outcomes)).toEqual({
      'a GIF that is to move': 'converted',
      'an MP4 as a voice note': 'no_sound',
      'an AVI of noise': 'no_picture',
      'an AMR that is to be a voice note': 'broken',
    });
    expect(withFfmpeg[0]?.left()).toEqual([]);
    withFfmpeg[0]?.stop();
  });
});
