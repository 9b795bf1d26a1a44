import { beforeEach, describe, expect, it } from 'vitest';
import { QrRefs } from '../../../../worker/socket/pairing/qrRefs.ts';

describe('the references of a registration', () => {
  let shown: (readonly [string, number])[];
  let spent: number;
  /** The time that runs, if one does. */
  let running: { readonly ms: number; readonly over: () => void } | undefined;
  let refs: QrRefs;
  beforeEach(() => {
    [shown, spent, running] = [[], 0, undefined];
    refs = new QrRefs({
      scope: {
        timeout: (ms, over) => {
          const mine = { ms, over };
          running = mine;
          return () => {
            if (running === mine) running = undefined;
          };
        },
      },
      next: (ref, lifeMs) => void shown.push([ref, lifeMs]),
      spent: () => void (spent += 1),
    });
  });

  it('come one after the other, the first for 60 s and the others for 20 s, and are spent then', () => {
    refs.begin(['a', 'b', 'c']);
    const lives: (number | undefined)[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      lives.push(running?.ms);
      running?.over();
    }

    expect(shown).toEqual([
      ['a', 60_000],
      ['b', 20_000],
      ['c', 20_000],
    ]);
    expect([lives, spent]).toEqual([[60_000, 20_000, 20_000], 1]);
  });

  it('are not spent once they were ended', () => {
    refs.begin(['a', 'b']);
    refs.end();

    expect([running, shown.length, spent]).toEqual([undefined, 1, 0]);
  });

  it('begin anew when the server gives others', () => {
    refs.begin(['a']);
    refs.begin(['b', 'c']);
    running?.over();

    expect(shown.map(([ref]) => ref)).toEqual(['a', 'b', 'c']);
    expect(spent).toBe(0);
  });

  it('are spent at once where there is none', () => {
    refs.begin([]);

    expect(spent).toBe(1);
  });
});
