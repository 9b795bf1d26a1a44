import { describe, expect, it } from 'vitest';
import { ByteRoom } from '../../../worker/facts/byteRoom.ts';

const forever = new AbortController().signal;

describe('room for bytes', () => {
  it('lets in no more than there is room for, in the order in which they came', async () => {
    const room = new ByteRoom(10);
    const entered: string[] = [];
    const enter = async (name: string, bytes: number) => {
      const giveBack = await room.take(bytes, forever);
      entered.push(name);
      return giveBack;
    };

    const first = await enter('first', 8);
    const large = enter('large', 9);
    const small = enter('small', 1);
    await Promise.resolve();
    const whileFull = [...entered];
    first();
    first();
    (await large)();
    await small;

    expect(whileFull).toEqual(['first']);
    expect(entered).toEqual(['first', 'large', 'small']);
  });

  it('gives all of it to one that is larger than it', async () => {
    const room = new ByteRoom(10);

    const giveBack = await room.take(50, forever);
    const next = room.take(1, forever);
    giveBack();

    await expect(next).resolves.toBeTypeOf('function');
  });

  it('forgets who has given up, so that the next may enter', async () => {
    const room = new ByteRoom(10);
    const giveUp = new AbortController();
    await room.take(5, forever);

    const large = room.take(8, giveUp.signal);
    const small = room.take(5, forever);
    giveUp.abort(new Error('too late'));

    await expect(large).rejects.toThrow('too late');
    await expect(small).resolves.toBeTypeOf('function');
  });
});
