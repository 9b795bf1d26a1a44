import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { makeId, type ConnectionId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { sumOfWaiting, WaitingWatch } from '../../../worker/runner/waitingWatch.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);

const every = (_id: ConnectionId, sinceMs: number): number => sinceMs;

describe('what waits on the connections of a shard', () => {
  const aRecord = (parkedCount: number): Connection =>
    ({ connectionId: makeId('con', NOW_MS, systemRandom), parkedCount }) as Connection;
  const aWatch = (agesMs: ReadonlyMap<ConnectionId, number>) =>
    new WaitingWatch({
      listParked: async (connectionId) => {
        const ageMs = agesMs.get(connectionId);
        if (ageMs === undefined) return [];
        return [{ messageId: makeId('msg', NOW_MS - ageMs, systemRandom), sequenceNumber: '1', to: undefined }];
      },
    });

  it('counts online connections whose oldest message has waited for more than a minute, and knows the longest', async () => {
    const [fresh, late, offline, empty] = [aRecord(1), aRecord(9), aRecord(1), aRecord(0)];
    const watch = aWatch(
      new Map([
        [fresh.connectionId, 10_000],
        [late.connectionId, 300_000],
        [offline.connectionId, 86_400_000],
        [empty.connectionId, 900_000],
      ]),
    );

    await watch.look([fresh, late, offline, empty], NOW_MS);

    const online = (id: ConnectionId, sinceMs: number) => (id === offline.connectionId ? undefined : sinceMs);
    expect(watch.of(online, NOW_MS)).toEqual({ late: 1, longestMs: 300_000 });
    // A wait grows by itself between two looks.
    expect(watch.of(online, NOW_MS + 60_000)).toEqual({ late: 2, longestMs: 360_000 });
  });

  it('leaves out connections on which all messages wait for WhatsApp, as their record says, and no others', async () => {
    const brake = { because: 'too_fast', sinceMs: NOW_MS - 60_000, untilMs: NOW_MS + 60_000, refusals: 1 } as const;
    const pace = { account: 'a', linkedAtMs: 0, hours: {}, brakes: { all: brake } };
    const record = { ...aRecord(3), pace };
    const restricted = {
      ...aRecord(3),
      pace: { ...pace, brakes: { firstContacts: { ...brake, because: 'restricted' } as const } },
    };
    const watch = aWatch(
      new Map([
        [record.connectionId, 300_000],
        [restricted.connectionId, 100_000],
      ]),
    );

    await watch.look([record, restricted], NOW_MS);
    const braked = watch.of(every, NOW_MS);
    await watch.look([record, restricted], brake.untilMs);

    expect(braked).toEqual({ late: 1, longestMs: 100_000 });
    expect(watch.of(every, brake.untilMs).late).toBe(2);
  });

  it('forgets what waits no more', async () => {
    const record = aRecord(1);
    const watch = aWatch(new Map([[record.connectionId, 300_000]]));
    await watch.look([record], NOW_MS);

    await watch.look([{ ...record, parkedCount: 0 }], NOW_MS);

    expect(watch.of(every, NOW_MS)).toEqual({ late: 0, longestMs: 0 });
  });

  it('adds up over shards', () => {
    const all = [
      { late: 1, longestMs: 5 },
      { late: 2, longestMs: 90 },
    ];

    expect(sumOfWaiting(all)).toEqual({ late: 3, longestMs: 90 });
    expect(sumOfWaiting([])).toEqual({ late: 0, longestMs: 0 });
  });
});
