import { describe, expect, it } from 'vitest';
import { played, playsAll } from '../sample.ts';
import { everyContent } from './contents.ts';
import { describeFaults, figuresOf } from './fuzzReport.ts';
import { Passage } from './inProcess.ts';

const TEXTS = ['a', '😀 काम ไทย مرحبا'];

/** Not a divisor of the number of wrappers, so that each kind and each wrapper is among those that are played. */
const ONE_OF = 7;

describe('every kind of content, by itself and in every wrapper', () => {
  it.each(TEXTS)('gives one event with the text "%s" in it, and none where only devices speak', async (text) => {
    const contents = played(everyContent(text), ONE_OF);
    const passage = new Passage();

    await passage.bring(contents);

    expect(describeFaults(figuresOf(passage.outcome(), 0))).toEqual([]);
    expect(contents.length).toBeGreaterThan(2_000 / (playsAll ? 1 : ONE_OF));
    expect(contents.filter(({ gives }) => gives === 'one').length).toBeGreaterThan(1_400 / (playsAll ? 1 : ONE_OF));
  });
});
