import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamPlaces, type StreamPlace } from '../../../shared/event/streamPlaces.ts';
import { makeMortal, type Death } from '../../functions/deliver/mortal.ts';
import { eventRoom } from './eventStores.ts';

const MOST = 5;
const FOR_MS = 180_000;

describe('the places of the streams of a tenant', () => {
  const room = eventRoom();
  /** A process: its calls are counted, and fail while it is told so. */
  const aProcess = (death?: Death) => {
    const { stores } = room;
    const { asOurs, died, calls } = makeMortal(death);
    // A pause before a second look is over at once.
    const clock = { ...stores.clock, sleep: () => Promise.resolve() };
    const places = new StreamPlaces({ ...stores, table: asOurs(stores.table), clock }, { forMs: FOR_MS });
    const take = () => places.take(room.ids.tenantId, MOST);
    return { places, take, died, calls };
  };
  const some = (count: number, take: () => Promise<StreamPlace | undefined>) =>
    Promise.all(Array.from({ length: count }, take));
  const taken = (places: readonly (StreamPlace | undefined)[]) => places.filter((place) => place !== undefined);

  it('are so many over all processes and no more, whoever asks at once; who leaves makes room', async () => {
    const processes = [aProcess(), aProcess(), aProcess()];
    const asked = await Promise.all(
      processes.map(async ({ places, take }) => ({ places, own: taken(await some(3, take)) })),
    );
    const held = asked.flatMap(({ own }) => own);
    const full = await aProcess().take();
    const [leaving] = asked.filter(({ own }) => own.length > 0);
    const [first] = leaving?.own ?? [];
    if (first !== undefined) await leaving?.places.release(first);
    const [again, none] = [await aProcess().take(), await aProcess().take()];

    expect(held).toHaveLength(MOST);
    expect(full).toBeUndefined();
    expect(again).toBeDefined();
    expect(none).toBeUndefined();
  });

  it('that come and go together cost two writes', async () => {
    const { places, take, calls } = aProcess();
    await some(4, take);
    const opened = calls();
    const again = taken(await some(1, take));
    await Promise.all(again.map((place) => places.release(place)));

    expect(opened).toBeLessThanOrEqual(2);
    expect(calls()).toBeLessThanOrEqual(opened + 2);
  });

  it('go from a stream that ends to one that waits in the same process without a write', async () => {
    const { places, take, calls } = aProcess();
    const [held] = taken(await some(MOST, take));
    if (held === undefined) throw new Error('there was a place');
    const before = calls();
    const [, next] = await Promise.all([places.release(held), take()]);

    expect(next).toBeDefined();
    expect(calls()).toBe(before);
  });

  it('are free when the time of a process that has died is over, and not before', async () => {
    await some(3, aProcess().take);
    const { take } = aProcess();
    const before = taken(await some(MOST, take));
    room.stores.clock.advance(FOR_MS);
    const after = taken(await some(MOST, take));

    expect(before).toHaveLength(MOST - 3);
    expect(after).toHaveLength(3);
  });

  it('are held for as long as their process says so, and lost where it stood still and others have them', async () => {
    const [living, still, other] = [aProcess(), aProcess(), aProcess()];
    const kept = taken(await some(2, living.take));
    const lost = taken(await some(2, still.take));
    for (let passed = 0; passed < FOR_MS; passed += FOR_MS / 2) {
      room.stores.clock.advance(FOR_MS / 2);
      for (const place of kept) expect(await living.places.keep(place)).toBe('held');
    }
    const taking = taken(await some(MOST, other.take));
    const found: string[] = [];
    for (const place of lost) found.push(await still.places.keep(place));
    for (const place of lost) await still.places.release(place);

    expect(taking).toHaveLength(3);
    expect(found.toSorted()).toEqual(['lost', 'lost']);
    expect(await aProcess().take()).toBeUndefined();
  });

  it('are had again by a process that stood still, as far as nobody else has them', async () => {
    const [still, other] = [aProcess(), aProcess()];
    const ours = taken(await some(3, still.take));
    room.stores.clock.advance(FOR_MS);
    await some(MOST - 3 + 1, other.take);
    const found: string[] = [];
    for (const place of ours) found.push(await still.places.keep(place));

    expect(found.toSorted()).toEqual(['held', 'held', 'lost']);
  });

  it('are right again after a write of which nobody knows whether it was made', async () => {
    for (const when of ['before', 'after'] as const) {
      room.renewIds();
      let fails = true;
      const { stores } = room;
      const send = async (command: Parameters<typeof stores.table.send>[0]) => {
        if (!fails || !(command instanceof UpdateCommand)) return stores.table.send(command);
        fails = false;
        if (when === 'after') await stores.table.send(command);
        throw new Error('no answer came');
      };
      const table = Object.assign(Object.create(stores.table) as typeof stores.table, { send });
      const places = new StreamPlaces({ ...stores, table }, { forMs: FOR_MS });
      const take = () => places.take(room.ids.tenantId, MOST);
      await expect(take()).rejects.toThrow('no answer came');
      const own = taken(await some(MOST, take));
      for (const place of own) await places.release(place);
      const all = taken(await some(MOST + 1, aProcess().take));

      expect({ when, own: own.length, all: all.length }).toEqual({ when, own: MOST, all: MOST });
    }
  });

  it('are never more than so many, and all free in the end, wherever a process dies', async () => {
    const step = fc.record({
      process: fc.nat({ max: 2 }),
      act: fc.constantFrom('take' as const, 'take' as const, 'release' as const, 'keep' as const),
    });
    const death = fc.record({ call: fc.integer({ min: 1, max: 6 }), when: fc.constantFrom('before', 'after') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), death, async (steps, dies) => {
        room.renewIds();
        const processes = [aProcess(dies as Death), aProcess(), aProcess()].map((process) => ({
          ...process,
          held: [] as StreamPlace[],
        }));
        await Promise.all(
          processes.map(async (of, number) => {
            for (const { process, act } of steps) {
              if (process !== number) continue;
              const run = async (): Promise<void> => {
                if (act === 'take') of.held.push(...taken([await of.take()]));
                const [first] = of.held;
                if (act === 'release' && first !== undefined) {
                  of.held.shift();
                  await of.places.release(first);
                }
                if (act === 'keep' && first !== undefined) await of.places.keep(first);
              };
              if ((await Promise.race([run(), of.died])) === 'died') return;
              expect(processes.reduce((sum, { held }) => sum + held.length, 0)).toBeLessThanOrEqual(MOST);
            }
          }),
        );
        for (const { places, held } of processes.slice(1)) {
          for (const place of held) await places.release(place);
        }
        room.stores.clock.advance(FOR_MS);

        expect(taken(await some(MOST + 1, aProcess().take))).toHaveLength(MOST);
      }),
      { numRuns: 30 },
    );
  });
});
