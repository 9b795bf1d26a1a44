import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosenByText, mayChoose, mayChooseBare } from '../../../shared/content/writtenChoice.ts';

const toOptions = (...titles: readonly string[]) => titles.map((title, index) => ({ id: `id-${index + 1}`, title }));
const DAYS = toOptions('Noon', 'Evening', 'No', 'Ja, gern ❤️', 'Crème', '9', '7', '8', 'x', 'late');

describe('a text that chooses an option', () => {
  it.each([
    ['2', 2],
    [' 2 ', 2],
    ['2.', 2],
    ['2)', 2],
    ['(2)', 2],
    ['#2', 2],
    ['2️⃣', 2],
    ['２', 2],
    ['②', 2],
    ['٢', 2],
    ['२', 2],
    ['10', 10],
    ['١٠', 10],
    ['Evening', 2],
    ['evening ', 2],
    ['NO', 3],
    ['ja,  gern ❤', 4],
    ['Cre\u0300me', 5],
    ['6', 6],
    ['2\u200F', 2],
    ['\u2067٢\u2069', 2],
    ['\u202BEvening', 2],
  ])('%s', (text, number) => {
    expect(chosenByText(text, DAYS, true)?.id).toBe(`id-${number}`);
  });

  it.each([
    ['a number of no option', '11'],
    ['nought', '0'],
    ['a negative one', '-1'],
    ['a number with words', '2 please'],
    ['two numbers', '1 2'],
    ['another word', 'noon?'],
    ['a year', '2026'],
    ['a number that is the title of another one', '9'],
    ['nothing', ''],
    ['marks alone', '\u200F'],
    ['a part of a title', 'Even'],
  ])('is none: %s', (_what, text) => {
    expect(chosenByText(text, DAYS, true)).toBeUndefined();
  });

  it('is a title alone where no numbers were shown', () => {
    expect(chosenByText('2', toOptions('a', 'b'), false)).toBeUndefined();
    expect(chosenByText('B', toOptions('a', 'b'), false)?.id).toBe('id-2');
    expect(chosenByText('7', DAYS, false)?.id).toBe('id-7');
  });

  it('tells titles that differ in their case alone, and none that are the same', () => {
    expect(chosenByText('ok', toOptions('OK', 'ok'), true)?.id).toBe('id-2');
    expect(chosenByText('Ok', toOptions('OK', 'ok'), true)).toBeUndefined();
    expect(chosenByText('ok', toOptions('ok', 'ok'), true)).toBeUndefined();
    expect(chosenByText('2', toOptions('ok', 'ok'), true)?.id).toBe('id-2');
  });

  it('is looked for in short texts alone', () => {
    expect(['2', '10.', '2️⃣', 'Yes', ' ja '].every(mayChooseBare)).toBe(true);
    expect(['', '  ', 'Maybe', '2026'].some(mayChooseBare)).toBe(false);
    expect([mayChoose('x'.repeat(64)), mayChoose('x'.repeat(65))]).toEqual([true, false]);
  });

  it('never throws, whatever a stranger writes', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 64 }), (text) => {
        const option = chosenByText(text, DAYS, true);
        expect(option === undefined || DAYS.includes(option)).toBe(true);
      }),
    );
  });
});
