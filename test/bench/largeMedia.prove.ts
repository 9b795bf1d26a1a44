import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { MB, measureParallel, measureParallelOut } from './mediaMeasurement.ts';
import { ANN, MediaStage } from './mediaStage.ts';
import { MemoryWatch } from './processFigures.ts';

silenceConsole();
const MOST_GROWTH_BYTES = 100 * MB;

describe('large files', { timeout: 3_600_000 }, () => {
  let stage: MediaStage;
  beforeAll(async () => {
    stage = await MediaStage.start();
  });
  afterAll(() => stage.stop());

  it.each([
    ['come', measureParallel],
    ['go', measureParallelOut],
  ])(
    'that %s, ten of 64 MB at once, take less than 100 MB of any process, and leave no temporary file',
    async (_how, measure) => {
      const figures = await measure(stage, 10, 64 * MB);

      expect(figures.functionsGrew).toBeLessThan(MOST_GROWTH_BYTES);
      expect(figures.workerGrew).toBeLessThan(MOST_GROWTH_BYTES);
      expect(figures.left).toEqual([]);
    },
  );

  it('of 2 GB come in parts, in the same memory', async () => {
    const watch = new MemoryWatch([...stage.functions, ...stage.workers]);

    const { stanzaId } = await stage.sendFile(2 * 1_024 * MB - 1, 7);
    const { data } = await stage.fileOf(stanzaId);

    expect(data['media']).toMatchObject({ state: 'ready', bytes: 2 * 1_024 * MB - 1 });
    expect(Math.max(...watch.stop())).toBeLessThan(MOST_GROWTH_BYTES);
  });

  it('of 2 GB go in parts, in the same memory, and the phone opens them', async () => {
    const watch = new MemoryWatch([...stage.functions, ...stage.workers]);

    const id = await stage.bring(2 * 1_024 * MB - 1, 8);
    await stage.opened(ANN, await stage.send(ANN, { type: 'document', document: { id, convert: false } }));

    expect(Math.max(...watch.stop())).toBeLessThan(MOST_GROWTH_BYTES);
    expect(stage.temporaryFiles()).toEqual([]);
  });
});
