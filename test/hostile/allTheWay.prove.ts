import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringSome } from './bringThrough.ts';
import { contentsAndWrappers } from './contents.ts';
import { HostileStage } from './hostileStage.ts';
import { drawLot, knownPlaintexts, type Plaintext } from './plaintexts.ts';

const SEED = 20_261_128;
/** The number of inputs that go all the way: one in 200 of the 20,000 that stay in memory. */
const DRAWN = 100;

describe('a message of a hostile contact, from his phone to the log', () => {
  let stage: HostileStage;
  let brought = 0;
  beforeAll(async () => {
    stage = await HostileStage.start();
  });
  afterAll(() => stage.stop());

  it.each<readonly [what: string, plaintexts: readonly Plaintext[]]>([
    ['every kind of content, and a text and an unknown kind in each wrapper', contentsAndWrappers('😀')],
    ['what is known to have done harm', knownPlaintexts],
    ['what is drawn by chance', drawLot(SEED, -1, DRAWN)],
  ])('%s gives one event each; the connection stays online and the neighbour is heard', async (_what, plaintexts) => {
    const { faults, events } = await bringSome(stage, plaintexts, brought);
    brought += plaintexts.length;

    expect(faults).toEqual([]);
    expect(events).toBeGreaterThan(plaintexts.length * 0.8);
  });
});
