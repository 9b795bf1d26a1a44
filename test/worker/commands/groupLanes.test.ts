import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupLanes } from '../../../worker/commands/groupLanes.ts';

interface Item {
  readonly group: string;
  readonly place: number;
}

describe('group lanes', () => {
  it('always work a group in order up to its first failure, and give back exactly the rest, in order', async () => {
    const items = fc.array(fc.record({ group: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), {
      maxLength: 30,
    });

    await fc.assert(
      fc.asyncProperty(items, async (drawn) => {
        const records = drawn.map(({ group }, place) => ({ group, place }));
        const worked: Item[] = [];
        const givenBack: Item[] = [];
        const lanes = new GroupLanes<Item>({
          work: async (item) => {
            await Promise.resolve();
            if (drawn[item.place]?.fails === true) return 'later';
            worked.push(item);
            return 'done';
          },
          giveBack: async (rest) => void givenBack.push(...rest),
          isStopping: () => false,
        });

        lanes.add(records);
        await lanes.idle();

        for (const group of ['a', 'b', 'c']) {
          const mine = records.filter((record) => record.group === group);
          const stop = mine.findIndex(({ place }) => drawn[place]?.fails === true);
          const end = stop === -1 ? mine.length : stop;
          expect(worked.filter((item) => item.group === group)).toEqual(mine.slice(0, end));
          expect(givenBack.filter((item) => item.group === group)).toEqual(mine.slice(end));
        }
        expect(lanes.held()).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('give back what was not begun once they stop', async () => {
    let isStopping = false;
    const givenBack: Item[] = [];
    const lanes = new GroupLanes<Item>({
      work: async () => {
        isStopping = true;
        return 'done';
      },
      giveBack: async (rest) => void givenBack.push(...rest),
      isStopping: () => isStopping,
    });

    lanes.add([1, 2, 3].map((place) => ({ group: 'a', place })));
    await lanes.idle();

    expect(givenBack.map(({ place }) => place)).toEqual([2, 3]);
  });
});
