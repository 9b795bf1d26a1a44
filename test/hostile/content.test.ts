import { describe, expect, it } from 'vitest';
import { everyContent } from './contents.ts';
import { describeFaults, figuresOf } from './fuzzReport.ts';
import { Passage } from './inProcess.ts';

const TEXTS = ['a', '😀 काम ไทย مرحبا'];

describe('every kind of content, by itself and in every wrapper', () => {
  it.each(TEXTS)('gives one event with the text "%s" in it, and none where only devices speak', async (text) => {
    const contents = everyContent(text);
    const passage = new Passage();

    await passage.bring(contents);

    expect(describeFaults(figuresOf(passage.outcome(), 0))).toEqual([]);
    expect(contents.length).toBeGreaterThan(2_000);
    expect(contents.filter(({ gives }) => gives === 'one').length).toBeGreaterThan(1_400);
  });
});
