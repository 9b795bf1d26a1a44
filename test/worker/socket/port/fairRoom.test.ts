import { array, assert, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairRoom } from '../../../../worker/socket/port/fairRoom.ts';

describe('room for what waits', () => {
  const fill = (room: FairRoom<string>, who: string, many: number) =>
    Array.from({ length: many }, (_, index) => room.enter(who, `${who}${index}`));

  it('is bounded for one person', () => {
    const room = new FairRoom<string>({ ofOne: 2, ofAll: 10 });

    expect(fill(room, 'a', 3)).toEqual([undefined, undefined, 'a2']);
    expect(room.size).toBe(2);
  });

  it('that a few have taken is given to whoever has less, and taken from the one with most: his newest', () => {
    const room = new FairRoom<string>({ ofOne: 4, ofAll: 10 });
    for (const who of ['a', 'b']) fill(room, who, 4);
    fill(room, 'c', 2);

    expect(room.enter('ann', 'hello')).toBe('a3');
    expect(room.enter('ann', 'again')).toBe('b3');
    expect([room.first('a'), room.first('b'), room.first('c'), room.first('ann')]).toEqual(['a0', 'b0', 'c0', 'hello']);
    expect(room.size).toBe(10);
  });

  it('is not exchanged between people who have as much', () => {
    const room = new FairRoom<string>({ ofOne: 4, ofAll: 3 });
    for (const who of ['a', 'b', 'c']) fill(room, who, 1);

    expect(room.enter('d', 'd0')).toBe('d0');
    expect(room.enter('a', 'a1')).toBe('a1');
  });

  it('never holds more than it may, and leaves nobody out who has less than his share, whatever comes', () => {
    const action = record({
      who: nat(6).map(String),
      leaves: integer({ min: 0, max: 9 }).map((one) => one < 2),
    });
    assert(
      property(array(action, { maxLength: 200 }), (actions) => {
        const rule = { ofOne: 5, ofAll: 14 };
        const room = new FairRoom<object>(rule);
        const model = new Map<string, Set<object>>();
        for (const { who, leaves } of actions) {
          const own = model.get(who) ?? new Set();
          model.set(who, own);
          const first = room.first(who);
          if (leaves && first !== undefined) {
            room.leave(who, first);
            own.delete(first);
            continue;
          }
          const entry = {};
          const most = Math.max(...[...model.values()].map((entries) => entries.size));
          const refused = room.enter(who, entry);
          expect(refused !== entry || own.size >= rule.ofOne || own.size + 1 >= most).toBe(true);
          if (refused !== entry) own.add(entry);
          if (refused !== undefined && refused !== entry) for (const entries of model.values()) entries.delete(refused);
          const held = [...model.values()].reduce((sum, entries) => sum + entries.size, 0);
          expect(room.size).toBe(held);
          expect(held).toBeLessThanOrEqual(rule.ofAll);
          expect(own.size).toBeLessThanOrEqual(rule.ofOne);
        }
      }),
    );
  });
});
