import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOf, PAGE_BYTES, readPage, type Item } from '../../../shared/platform/pages.ts';

/** A list of items that says how many were asked for. */
function aList(items: readonly Item[]) {
  let asked = 0;
  async function* read(after?: Item): AsyncGenerator<Item> {
    for (const item of items.slice(after === undefined ? 0 : items.indexOf(after) + 1)) {
      asked += 1;
      yield item;
    }
  }
  return { read, asked: () => asked };
}

/** All pages of a list, each begun where the one before it says. */
async function readAll(items: readonly Item[], limit: number): Promise<readonly (readonly Item[])[]> {
  const list = aList(items);
  const pages: (readonly Item[])[] = [];
  let after: Item | undefined;
  do {
    const page = await readPage(list.read(after), {
      limit,
      show: (item) => (item['hidden'] === true ? undefined : item),
    });
    pages.push(page.shown);
    after = page.last;
  } while (after !== undefined);
  return pages;
}

describe('a page of a list', () => {
  it('shows each item once and in order, whatever is hidden and however long an item is', async () => {
    const item = fc.record({ hidden: fc.boolean(), letters: fc.constantFrom(1, 400_000, 2_000_000) });

    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 30 }), fc.integer({ min: 1, max: 10 }), async (given, limit) => {
        const items = given.map(({ hidden, letters }, number) => ({ number, hidden, text: 'x'.repeat(letters) }));

        const pages = await readAll(items, limit);

        const wanted = items.filter(({ hidden }) => !hidden).map(({ number }) => number);
        expect(pages.flat().map(({ number }) => number)).toEqual(wanted);
        for (const page of pages) {
          expect(page.length).toBeLessThanOrEqual(limit);
          const bytes = Buffer.byteLength(JSON.stringify(page));
          expect(page.length <= 1 || bytes < PAGE_BYTES + 1_000).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is not empty because much before it is hidden, and ends all the same', async () => {
    const items = Array.from({ length: 2_500 }, (_, number) => ({
      number,
      hidden: number !== 900 && number !== 2_400,
    }));

    const pages = await readAll(items, 10);

    expect(pages.map((page) => page.map(({ number }) => number))).toEqual([[900], [], [2_400]]);
  });

  it('of the first items asks for no more than those', async () => {
    const list = aList([{ number: 1 }, { number: 2 }, { number: 3 }]);

    expect(await firstOf(list.read(), 2)).toHaveLength(2);
    expect(list.asked()).toBe(2);
  });
});
