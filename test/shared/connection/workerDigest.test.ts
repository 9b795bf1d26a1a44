import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionVitals, Evidence } from '../../../shared/connection/liveness.ts';
import {
  packDigest,
  summarize,
  SUSPECTS_PER_SHARD,
  unpackDigest,
  worstAgeMs,
  type WorkerDigest,
} from '../../../shared/connection/workerDigest.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { aConnection } from '../../functions/watchdog/builders.ts';

const SUSPECT_MS = 60_000;

describe('the worst age of a connection', () => {
  it.each<[string, number, Partial<Evidence>, number | undefined]>([
    ['the last frame of an open one', 70_000, { lastFrameMs: 70_000 }, undefined],
    ['what waits to be handled', 71_000, { oldestUnhandledMs: 71_000 }, undefined],
    ['what waits for its acknowledgement', 72_000, { oldestUnacknowledgedMs: 72_000 }, undefined],
    ['a lock', 73_000, { oldestLockMs: 73_000 }, undefined],
    ['a runner', 74_000, { oldestLockMs: 73_000 }, 74_000],
    ['the opening', 75_000, { phase: 'opening', phaseMs: 75_000 }, undefined],
    ['not how long a socket has been open, nor when the last message came', 4_000, {}, undefined],
    ['not an offer that waits for a person', 0, { phase: 'pairing', phaseMs: 900_000, lastFrameMs: 90_000 }, undefined],
  ])('is that of %s', (_, expected, evidence, runnerBusyMs) => {
    expect(worstAgeMs(aConnection(1, 0, evidence, runnerBusyMs))).toBe(expected);
  });

  it('is that of its runner when it has no socket', () => {
    expect(worstAgeMs({ ...aConnection(1, 0, {}, 5_000), evidence: undefined })).toBe(5_000);
    expect(worstAgeMs({ ...aConnection(1, 0), evidence: undefined })).toBe(0);
  });
});

describe('the sum of vitals', () => {
  it('says each owned shard with its epoch, and names only who looks unwell, the worst first', () => {
    const unwell = [1, 2, 3].map((number) => aConnection(number, 4, { lastFrameMs: SUSPECT_MS + number }));
    const closed = { ...aConnection(9, 4), evidence: undefined };
    const vitals = [...unwell, aConnection(8, 4), closed];

    const sum = summarize(
      new Map([
        [4, 7],
        [5, 1],
      ]),
      vitals,
      SUSPECT_MS,
    );

    expect(sum).toEqual([
      { shard: 4, epoch: 7, count: 5, online: 4, suspected: 3, suspects: [...unwell].reverse() },
      { shard: 5, epoch: 1, count: 0, online: 0, suspected: 0, suspects: [] },
    ]);
  });

  it('says how many look unwell, and names ten of a shard at the most', () => {
    const vitals = Array.from({ length: 25 }, (_, number) => aConnection(number, 0, { lastFrameMs: 70_000 + number }));

    const [shard] = summarize(new Map([[0, 1]]), vitals, SUSPECT_MS);

    expect(shard?.suspected).toBe(25);
    expect(shard?.suspects).toEqual(vitals.slice(-SUSPECTS_PER_SHARD).reverse());
  });

  it('leaves out what is of a shard that is not owned any more', () => {
    expect(summarize(new Map(), [aConnection(1, 0)], SUSPECT_MS)).toEqual([]);
  });
});

const anyAge = fc.integer({ min: 0, max: 10_000_000 });
const anyMaybe = fc.option(anyAge, { nil: undefined });
const anyVitals: fc.Arbitrary<ConnectionVitals> = fc.record({
  tenantId: fc.integer({ min: 1, max: 5 }).map(() => makeId('tnt', 1_700_000_000_000, systemRandom)),
  connectionId: fc.constant(0).map(() => makeId('con', 1_700_000_000_000, systemRandom)),
  shard: fc.integer({ min: 0, max: 9 }),
  runnerBusyMs: anyMaybe,
  evidence: fc.option(
    fc.record({
      phase: fc.constantFrom('opening' as const, 'pairing' as const, 'open' as const),
      phaseMs: anyAge,
      lastFrameMs: anyAge,
      lastHandledMs: anyMaybe,
      lastAckMs: anyMaybe,
      oldestUnhandledMs: anyMaybe,
      oldestUnacknowledgedMs: anyMaybe,
      oldestLockMs: anyMaybe,
    }),
    { nil: undefined },
  ),
});

describe('a packed digest', () => {
  const tenShards = new Map(Array.from({ length: 10 }, (_, shard) => [shard, shard + 1]));
  const digestOf = (vitals: readonly ConnectionVitals[]): WorkerDigest => ({
    number: 12,
    loopDelayMs: 3,
    shards: summarize(tenShards, vitals, SUSPECT_MS),
  });

  it('is read as it was written, but for suspects that it had no room for, the mildest of each shard', () => {
    fc.assert(
      fc.property(fc.array(anyVitals, { maxLength: 60 }), (vitals) => {
        const digest = digestOf(vitals);

        const read = unpackDigest(packDigest(digest));

        const shortened = digest.shards.map((shard, index) => ({
          ...shard,
          suspects: shard.suspects.slice(0, read?.shards[index]?.suspects.length),
        }));
        expect(read).toEqual({ ...digest, shards: shortened });
      }),
    );
  });

  it('always fits into two write units together with its keys', () => {
    fc.assert(
      fc.property(fc.array(anyVitals, { minLength: 200, maxLength: 400 }), (vitals) => {
        expect(packDigest(digestOf(vitals)).length).toBeLessThanOrEqual(1_850);
      }),
      { numRuns: 20 },
    );
  });

  it('of a worker that is well is small: it is read with every look at the fleet', () => {
    const well = Array.from({ length: 500 }, (_, number) => aConnection(number, number % 10));

    expect(packDigest(digestOf(well)).length).toBeLessThan(200);
  });

  it('has room for the worst suspects of a worker that is all unwell', () => {
    const ill = Array.from({ length: 500 }, (_, number) => ({
      ...aConnection(number, number % 10, { lastFrameMs: 90_000 + number }),
      tenantId: makeId('tnt', 1_700_000_000_000, systemRandom),
      connectionId: makeId('con', 1_700_000_000_000, systemRandom),
    }));

    const read = unpackDigest(packDigest(digestOf(ill)));

    expect(read?.shards.map(({ suspected }) => suspected)).toEqual(Array.from({ length: 10 }, () => 50));
    expect(Math.min(...(read?.shards ?? []).map(({ suspects }) => suspects.length))).toBeGreaterThanOrEqual(1);
  });

  it('that another version wrote is no digest', () => {
    expect(unpackDigest(Buffer.from('what is this'))).toBeUndefined();
    expect(unpackDigest(packDigest({ ...digestOf([]), number: 'one' as unknown as number }))).toBeUndefined();
  });
});
